import Cryptography
package import Primitives

/// The tracker's side of BEP 15, with the URL options of BEP 41: a datagram comes in, or its answer goes out.
///
/// No answer to somebody who has proven no address is longer than the question (T4), and a wrong connection identifier
/// has no answer at all (T3): else the tracker would answer whoever a liar names as the sender.
package struct UDPTracker: ~Copyable {
    private let connectionIDs: ConnectionIDs
    private var reply = AnnounceReply()

    /// The number that every connect request begins with, BEP 15's mark.
    private static let protocolID: UInt64 = 0x417_2710_1980
    /// Where BEP 41's options begin, and the shortest announce (T5).
    private static let announceLength = 98
    /// Torrents of one scrape: BEP 15 says about 74, which fills 896 bytes (T6).
    private static let mostScraped = 74
    /// Bytes of an answer that pass every link of IPv6 whole, its own headers off (RFC 8200: 1280).
    private static let longestReply = 1232

    /// - Parameter seed: of the key of connection identifiers; unpredictable outside of tests.
    package init(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        connectionIDs = ConnectionIDs(using: &random)
    }

    /// Answers a datagram, or does not.
    ///
    /// - Parameters:
    ///   - answer: is overwritten with the datagram to send; empty where none is.
    package mutating func received(
        _ datagram: RawSpan,
        from sender: Endpoint,
        _ registry: inout Registry,
        _ admission: Admission,
        at now: Instant,
        into answer: inout ByteWriter
    ) {
        answer.removeAll()
        guard let first = datagram.bigEndian(UInt64.self, at: 0),
            let action = datagram.bigEndian(UInt32.self, at: 8),
            let transaction = datagram.bigEndian(UInt32.self, at: 12)
        else { return registry.counters.ignored &+= 1 }
        if first == UDPTracker.protocolID, action == UDPAction.connect.rawValue {
            registry.counters.connects &+= 1
            answer.append(atMost: 16) { room in
                room.bigEndian(UDPAction.connect.rawValue)
                room.bigEndian(transaction)
                room.bigEndian(connectionIDs.identifier(for: sender.address, at: now))
            }
            return
        }
        guard connectionIDs.accepts(first, from: sender.address, at: now) else {
            return registry.counters.ignored &+= 1
        }
        do throws(TrackerFailure) {
            switch UDPAction(rawValue: action) {
            case .announce:
                try announce(datagram, transaction, from: sender.address, &registry, admission, at: now, into: &answer)
            case .scrape:
                try scrape(datagram, transaction, from: sender.address, &registry, admission, at: now, into: &answer)
            default: throw .badRequest
            }
        } catch {
            registry.counters.failed(error)
            answer.removeAll()
            answer.bigEndian(UDPAction.error.rawValue)
            answer.bigEndian(transaction)
            answer.append(error.text)
        }
    }

    // MARK: Announcing

    private mutating func announce(
        _ datagram: RawSpan,
        _ transaction: UInt32,
        from sender: IPAddress,
        _ registry: inout Registry,
        _ admission: Admission,
        at now: Instant,
        into answer: inout ByteWriter
    ) throws(TrackerFailure) {
        let request = try UDPTracker.read(datagram)
        if admission.passkeys != nil {
            let path = UDPOptions.path(in: datagram, from: UDPTracker.announceLength)
            try admission.admit(path.isEmpty ? nil : path.span.bytes, at: now)
        }
        try admission.admit(request.infoHash)
        try registry.announce(request, from: sender, at: now, into: &reply)
        registry.counters.announced(.udp, request.event)
        let length = min(reply.peers.count, longestPeers(reply.family))
        answer.append(atMost: UDPTracker.longestReply) { room in
            room.bigEndian(UDPAction.announce.rawValue)
            room.bigEndian(transaction)
            room.bigEndian(UInt32(truncatingIfNeeded: reply.interval))
            room.bigEndian(UInt32(truncatingIfNeeded: reply.leechers))
            room.bigEndian(UInt32(truncatingIfNeeded: reply.seeds))
            room.append(reply.peers.bytes.span.bytes.extracting(0..<length))
        }
    }

    /// Bytes of peers that an answer has room for: 200 peers of IPv4, 67 of IPv6 (T6).
    private func longestPeers(_ family: AddressFamily) -> Int {
        let length = family.compactEndpointByteCount
        return (UDPTracker.longestReply - 20) / length * length
    }

    private static func read(_ datagram: RawSpan) throws(TrackerFailure) -> AnnounceRequest {
        guard datagram.byteCount >= announceLength,
            let infoHash = InfoHash(datagram, at: 16), let peerID = PeerID(datagram, at: 36),
            let downloaded = datagram.bigEndian(UInt64.self, at: 56),
            let left = datagram.bigEndian(UInt64.self, at: 64),
            let uploaded = datagram.bigEndian(UInt64.self, at: 72),
            let number = datagram.bigEndian(UInt32.self, at: 80),
            let key = datagram.bigEndian(UInt32.self, at: 88),
            let wanted = datagram.bigEndian(Int32.self, at: 92),
            let port = datagram.bigEndian(UInt16.self, at: 96)
        else { throw .badRequest }
        guard let event = AnnounceRequest.Event(rawValue: number) else { throw .unknownEvent }
        guard port > 0 else { throw .badPort }
        var request = AnnounceRequest(infoHash: infoHash, peerID: peerID, port: port)
        request.downloaded = downloaded
        request.left = left
        request.uploaded = uploaded
        request.event = event
        request.key = key == 0 ? nil : key
        // BEP 15: -1 is the tracker's usual number.
        request.wanted = wanted < 0 ? nil : Int(wanted)
        return request
    }

    // MARK: Scraping

    private func scrape(
        _ datagram: RawSpan,
        _ transaction: UInt32,
        from sender: IPAddress,
        _ registry: inout Registry,
        _ admission: Admission,
        at now: Instant,
        into answer: inout ByteWriter
    ) throws(TrackerFailure) {
        // BEP 41 has options for announces alone, so a scrape can prove no account.
        try admission.admit(nil, at: now)
        let count = (datagram.byteCount - 16) / UInt160.byteCount
        guard count > 0 else { throw .missingInfoHash }
        guard count <= UDPTracker.mostScraped else { throw .tooManyTorrents }
        registry.counters.scraped(.udp)
        answer.append(atMost: 8 + 12 * count) { room in
            room.bigEndian(UDPAction.scrape.rawValue)
            room.bigEndian(transaction)
            for index in 0..<count {
                let infoHash = InfoHash(datagram, at: 16 + index * UInt160.byteCount) ?? InfoHash(.zero)
                let scraped = registry.scrape(infoHash, sender.family)
                room.bigEndian(UInt32(truncatingIfNeeded: scraped.seeds))
                room.bigEndian(UInt32(truncatingIfNeeded: scraped.downloaded))
                room.bigEndian(UInt32(truncatingIfNeeded: scraped.leechers))
            }
        }
    }
}
