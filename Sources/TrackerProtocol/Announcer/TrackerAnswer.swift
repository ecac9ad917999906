import Bencode
import Metainfo
package import Primitives

/// What a tracker answers to an announce.
package struct TrackerAnswer: Hashable, Sendable {
    /// Seconds until the next one.
    package var interval: Int64 = 1800
    /// Seconds before which it wants none.
    package var minInterval: Int64?
    /// Peers that have everything.
    package var seeders: Int?
    /// Peers that do not.
    package var leechers: Int?
    package var peers: [Endpoint] = []
    /// How it sees us (BEP 24).
    package var externalAddress: IPAddress?
    /// To be sent along from now on.
    package var trackerID: [UInt8]?
    /// A remark for the person; the announce counts.
    package var warning: String?
    /// Other tracker nodes with the same database, by their URLs; `nil` where the tracker is none of ours.
    package var nodes: [String]?

    /// As many as anybody dials (hardening D14); what else a tracker sends is left.
    static let mostPeers = 200
    static let mostNodes = 16
    /// A sentence.
    static let mostTextBytes = 300

    package init() {}
}

/// Why an announce or a scrape came to nothing.
package enum AnnounceFailure: Error, Hashable, Sendable {
    /// The tracker's own words, and when it wants to be asked again (BEP 31).
    case refused(String, retry: Retry?)
    /// Not what BEP 3 or 15 describes; trackers in the wild do answer so.
    case malformed
    /// Nobody answered, or no connection was to be had, in half a sentence.
    case unreachable(String)
    /// It has no address of this family.
    case noAddress

    /// BEP 31.
    package enum Retry: Hashable, Sendable {
        case after(minutes: Int64)
        case never
    }
}

extension AnnounceFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .refused(let reason, _): reason.isEmpty ? "it refuses without a reason" : reason
        case .malformed: "its answer makes no sense"
        case .unreachable(let reason): reason
        case .noAddress: "it has no address of this family"
        }
    }
}

extension TrackerAnswer {
    /// Reads the body of an HTTP answer (BEP 3, 7, 23, 24, 31).
    package init(http body: RawSpan) throws(AnnounceFailure) {
        self.init()
        var failure: String?
        var retry: AnnounceFailure.Retry?
        var reader = BencodeReader(body, limits: .trackerReply)
        do throws(BencodeError) {
            try reader.beginDictionary()
            while let key = try reader.nextKey() {
                if reader.matches(key, "failure reason") {
                    failure = try TrackerAnswer.sentence(from: &reader)
                } else if reader.matches(key, "retry in") {
                    retry = try TrackerAnswer.retry(from: &reader)
                } else {
                    try read(key, from: &reader)
                }
            }
        } catch {
            // A refusal is worth reading however the rest is broken.
            guard failure != nil else { throw .malformed }
        }
        if let failure { throw .refused(failure, retry: retry) }
    }

    private mutating func read(_ key: Range<Int>, from reader: inout BencodeReader) throws(BencodeError) {
        if reader.matches(key, "interval") {
            interval = try reader.optionalInteger() ?? interval
        } else if reader.matches(key, "min interval") {
            minInterval = try reader.optionalInteger()
        } else if reader.matches(key, "complete") {
            seeders = try TrackerAnswer.count(from: &reader)
        } else if reader.matches(key, "incomplete") {
            leechers = try TrackerAnswer.count(from: &reader)
        } else if reader.matches(key, "peers") {
            try readPeers(from: &reader)
        } else if reader.matches(key, "peers6") {
            if let range = try reader.optionalString() { addCompact(.v6, reader.slice(range)) }
        } else if reader.matches(key, "external ip") {
            if let range = try reader.optionalString() { externalAddress = IPAddress(packed: reader.slice(range)) }
        } else if reader.matches(key, "tracker id") {
            trackerID = try reader.optionalString().flatMap { $0.count <= 256 ? reader.copy($0) : nil }
        } else if reader.matches(key, "warning message") {
            warning = try TrackerAnswer.sentence(from: &reader)
        } else if reader.matches(key, "shoal nodes") {
            try readNodes(from: &reader)
        } else {
            try reader.skipValue()
        }
    }

    /// Compact (BEP 23), or a list of dictionaries.
    private mutating func readPeers(from reader: inout BencodeReader) throws(BencodeError) {
        if let range = reader.nextKind == .string ? try reader.string() : nil {
            return addCompact(.v4, reader.slice(range))
        }
        guard try reader.beginOptionalList() else { return }
        while try reader.hasElement() {
            guard try reader.beginOptionalDictionary() else { continue }
            var (address, port) = (IPAddress?.none, Int64?.none)
            while let key = try reader.nextKey() {
                if reader.matches(key, "ip") {
                    // A name is left: whoever answers us should not make us look up names of its choice.
                    address = try reader.optionalString().flatMap { $0.count <= 45 ? IPAddress(reader.text($0)) : nil }
                } else if reader.matches(key, "port") {
                    port = try reader.optionalInteger()
                } else {
                    try reader.skipValue()
                }
            }
            if let address, let port = port.flatMap({ UInt16(exactly: $0) }) { add(Endpoint(address, port)) }
        }
    }

    private mutating func readNodes(from reader: inout BencodeReader) throws(BencodeError) {
        guard try reader.beginOptionalList() else { return }
        var nodes: [String] = []
        while try reader.hasElement() {
            guard let range = try reader.optionalString(), nodes.count < TrackerAnswer.mostNodes, range.count <= 300
            else { continue }
            nodes.append(reader.text(range))
        }
        self.nodes = nodes
    }

    mutating func addCompact(_ family: AddressFamily, _ bytes: RawSpan) {
        let size = family.compactEndpointByteCount
        for index in 0..<min(bytes.byteCount / size, TrackerAnswer.mostPeers) {
            if let endpoint = Endpoint(compact: family, bytes, at: index &* size) { add(endpoint) }
        }
    }

    private mutating func add(_ endpoint: Endpoint) {
        guard endpoint.port != 0, peers.count < TrackerAnswer.mostPeers else { return }
        peers.append(endpoint)
    }

    private static func count(from reader: inout BencodeReader) throws(BencodeError) -> Int? {
        try reader.optionalInteger().flatMap { $0 >= 0 ? Int(exactly: $0) : nil }
    }

    /// Fit for display; of what is no string, nothing.
    static func sentence(from reader: inout BencodeReader) throws(BencodeError) -> String {
        guard let range = try reader.optionalString() else { return "" }
        return DisplayText.clean(reader.slice(range.prefix(mostTextBytes)))
    }

    /// BEP 31: minutes, as a number or as text, or `never`.
    private static func retry(from reader: inout BencodeReader) throws(BencodeError) -> AnnounceFailure.Retry? {
        if reader.nextKind == .integer {
            let minutes = try reader.integer()
            return minutes > 0 ? .after(minutes: minutes) : nil
        }
        guard let range = try reader.optionalString() else { return nil }
        if reader.matches(range, "never") { return .never }
        return Int64(reader.text(range.prefix(20))).flatMap { $0 > 0 ? .after(minutes: $0) : nil }
    }
}

extension IPAddress {
    /// Reads an address as BEP 24 packs it: 4 bytes or 16.
    fileprivate init?(packed bytes: RawSpan) {
        switch bytes.byteCount {
        case 4:
            guard let bits = bytes.bigEndian(UInt32.self, at: 0) else { return nil }
            self = .v4(bits)
        case 16:
            guard let high = bytes.bigEndian(UInt64.self, at: 0), let low = bytes.bigEndian(UInt64.self, at: 8) else {
                return nil
            }
            self = .v6(high: high, low: low)
        default: return nil
        }
    }
}

extension Range<Int> {
    fileprivate func prefix(_ count: Int) -> Range<Int> { lowerBound..<Swift.min(upperBound, lowerBound + count) }
}
