package import Availability
import Primitives

/// An announce as it stands in a URL (BEP 3, 7, 23, 24; `have` and `pieces` of our own).
///
/// Whatever it says of an address is passed over: a peer is where its announce came from (T5).
package struct AnnounceQuery: Hashable, Sendable {
    package var request: AnnounceRequest
    /// BEP 23; who does not say gets the compact form, which every client of the last fifteen years reads.
    package var isCompact = true
    /// Whether the long form may do without identifiers.
    package var omitsPeerIDs = false
    /// What the peer tells of its pieces.
    package var holding: HaveBlob?

    /// What an answer needs of the registry.
    package var details: Registry.Details { isCompact || omitsPeerIDs ? .downloaded : [.downloaded, .peerIDs] }

    /// - Parameter query: what stands behind the `?`, still encoded.
    /// - Throws: what is missing or wrong.
    package init(_ query: RawSpan) throws(TrackerFailure) {
        var fields = Fields()
        var walk = QueryFields(query)
        while let (name, value) = walk.next() { try fields.read(name, value, of: query) }
        guard let infoHash = fields.infoHash else { throw .missingInfoHash }
        guard let peerID = fields.peerID else { throw .missingPeerID }
        guard let port = fields.port else { throw .badPort }
        request = AnnounceRequest(infoHash: InfoHash(infoHash), peerID: PeerID(peerID), port: port)
        request.uploaded = fields.uploaded ?? 0
        request.downloaded = fields.downloaded ?? 0
        request.left = fields.left
        request.event = fields.event
        request.key = fields.key
        request.wanted = fields.wanted
        isCompact = fields.isCompact
        omitsPeerIDs = fields.omitsPeerIDs
        guard let have = fields.have else { return }
        guard let pieceCount = fields.pieceCount, let blob = Base64URL.decode(have) else {
            throw .badHave
        }
        do throws(HaveBlobFault) {
            holding = try HaveBlob(parsing: blob.span.bytes, pieceCount: pieceCount)
        } catch {
            throw .badHave
        }
    }

    /// What was read so far.
    private struct Fields {
        var infoHash: UInt160?
        var peerID: UInt160?
        var port: UInt16?
        var uploaded: UInt64?
        var downloaded: UInt64?
        var left: UInt64?
        var event = AnnounceRequest.Event.interval
        var key: UInt32?
        var wanted: Int?
        var isCompact = true
        var omitsPeerIDs = false
        var have: [UInt8]?
        var pieceCount: Int?

        /// Other names than these are passed over.
        mutating func read(_ name: Range<Int>, _ value: Range<Int>, of query: RawSpan) throws(TrackerFailure) {
            if query.matches(name, "info_hash") {
                guard infoHash == nil, let hash = query.percentDecoded160(value) else { throw .badInfoHash }
                infoHash = hash
            } else if query.matches(name, "peer_id") {
                guard peerID == nil, let id = query.percentDecoded160(value) else { throw .badPeerID }
                peerID = id
            } else if query.matches(name, "port") {
                guard let number = query.decimal(value).flatMap({ UInt16(exactly: $0) }), number > 0 else {
                    throw .badPort
                }
                port = number
            } else if query.matches(name, "uploaded") {
                uploaded = try Fields.number(value, of: query)
            } else if query.matches(name, "downloaded") {
                downloaded = try Fields.number(value, of: query)
            } else if query.matches(name, "left") {
                left = try Fields.number(value, of: query)
            } else if query.matches(name, "event") {
                event = try Fields.event(value, of: query)
            } else if query.matches(name, "numwant") {
                wanted = try Fields.wanted(value, of: query)
            } else {
                try readRare(name, value, of: query)
            }
        }

        private mutating func readRare(
            _ name: Range<Int>,
            _ value: Range<Int>,
            of query: RawSpan
        ) throws(TrackerFailure) {
            if query.matches(name, "compact") {
                isCompact = !query.matches(value, "0")
            } else if query.matches(name, "no_peer_id") {
                omitsPeerIDs = query.matches(value, "1")
            } else if query.matches(name, "key") {
                key = Fields.key(value, of: query)
            } else if query.matches(name, "have") {
                // Base 64 is a third longer.
                guard let text = query.percentDecoded(value, atMost: HaveBlob.longest * 4 / 3 + 4) else {
                    throw .badHave
                }
                have = text
            } else if query.matches(name, "pieces") {
                guard let count = query.decimal(value), count > 0, count <= HaveBlob.mostPieces else { throw .badHave }
                pieceCount = Int(count)
            }
        }

        private static func number(_ value: Range<Int>, of query: RawSpan) throws(TrackerFailure) -> UInt64 {
            guard let number = query.decimal(value) else { throw .badNumber }
            return number
        }

        private static func event(
            _ value: Range<Int>,
            of query: RawSpan
        ) throws(TrackerFailure) -> AnnounceRequest.Event {
            if value.isEmpty { return .interval }
            if query.matches(value, "started") { return .started }
            if query.matches(value, "stopped") { return .stopped }
            if query.matches(value, "completed") { return .completed }
            // As some clients write what BEP 3 writes as nothing.
            if query.matches(value, "empty") { return .interval }
            throw .unknownEvent
        }

        /// A negative number is the tracker's usual one, as in BEP 15.
        private static func wanted(_ value: Range<Int>, of query: RawSpan) throws(TrackerFailure) -> Int? {
            if query.byte(at: value.lowerBound) == UInt8(ascii: "-"), value.count > 1 {
                guard query.decimal(value.lowerBound + 1..<value.upperBound) != nil else { throw .badNumber }
                return nil
            }
            return Int(clamping: try number(value, of: query))
        }

        /// Clients send up to eight hexadecimal digits, the number that they send over UDP; anything else is mixed into
        /// one. Never 0, which is none.
        private static func key(_ value: Range<Int>, of query: RawSpan) -> UInt32? {
            guard !value.isEmpty else { return nil }
            var number: UInt32 = 0
            // FNV-1a: nobody gains by a key that collides with another of his own.
            var mixed: UInt32 = 0x811c_9dc5
            var isHex = value.count <= 8
            for offset in value {
                guard let byte = query.byte(at: offset) else { return nil }
                mixed = (mixed ^ UInt32(byte)) &* 0x0100_0193
                if let digit = Hex.value(of: byte) { number = number << 4 | UInt32(digit) } else { isHex = false }
            }
            return max(1, isHex ? number : mixed)
        }
    }
}
