import Bencode
import Primitives

/// What stands around the `info` dictionary of a `.torrent` file.
///
/// Only `info` matters for what is fetched; the rest is advice, and advice that makes no sense is passed over.
struct TorrentFields {
    var info: Range<Int>?
    var announce: String?
    var announceList: [[String]] = []
    var nodes: [HostAndPort] = []
    var comment: String?
    var createdBy: String?
    var creationDate: Int64?

    /// The field that is being read, to be named where it is refused.
    private(set) var current: MetainfoError.Field?

    /// BEP 12: where there is a list, `announce` is ignored.
    var announceTiers: [[String]] {
        if announceList.isEmpty, let announce { return [[announce]] }
        return announceList
    }

    mutating func read(from reader: inout BencodeReader, limits: MetainfoLimits) throws(BencodeError) {
        try reader.beginDictionary()
        while let key = try reader.nextKey() {
            if reader.matches(key, "info") {
                current = .info
                info = try reader.skipValue()
            } else if reader.matches(key, "announce") {
                current = .announce
                announce = try TorrentFields.url(from: &reader, limits: limits)
            } else if reader.matches(key, "announce-list") {
                current = .announceList
                announceList = try TorrentFields.tiers(from: &reader, limits: limits)
            } else if reader.matches(key, "nodes") {
                current = .nodes
                nodes = try TorrentFields.nodes(from: &reader, limits: limits)
            } else {
                try readRemark(key, from: &reader)
            }
            current = nil
        }
    }

    private mutating func readRemark(_ key: Range<Int>, from reader: inout BencodeReader) throws(BencodeError) {
        if reader.matches(key, "comment") {
            current = .comment
            comment = try reader.optionalString().map { DisplayText.clean(reader.slice($0)) }
        } else if reader.matches(key, "created by") {
            current = .createdBy
            createdBy = try reader.optionalString().map { DisplayText.clean(reader.slice($0)) }
        } else if reader.matches(key, "creation date") {
            current = .creationDate
            creationDate = try reader.optionalInteger()
        } else {
            try reader.skipValue()
        }
    }

    private static func tiers(
        from reader: inout BencodeReader,
        limits: MetainfoLimits
    ) throws(BencodeError) -> [[String]] {
        var tiers: [[String]] = []
        var count = 0
        guard try reader.beginOptionalList() else { return [] }
        while try reader.hasElement() {
            var tier: [String] = []
            guard try reader.beginOptionalList() else { continue }
            while try reader.hasElement() {
                guard let url = try url(from: &reader, limits: limits), count < limits.trackerCount else { continue }
                tier.append(url)
                count += 1
            }
            if !tier.isEmpty { tiers.append(tier) }
        }
        return tiers
    }

    /// A URL as it stands there, if it is short and could be one: printable ASCII without spaces.
    private static func url(
        from reader: inout BencodeReader,
        limits: MetainfoLimits
    ) throws(BencodeError) -> String? {
        guard let range = try reader.optionalString(), (1...limits.urlByteCount).contains(range.count) else {
            return nil
        }
        let bytes = reader.copy(range)
        return bytes.allSatisfy { 0x21...0x7e ~= $0 } ? String(decoding: bytes, as: UTF8.self) : nil
    }

    /// BEP 5: a list of `[host, port]`.
    private static func nodes(
        from reader: inout BencodeReader,
        limits: MetainfoLimits
    ) throws(BencodeError) -> [HostAndPort] {
        var nodes: [HostAndPort] = []
        guard try reader.beginOptionalList() else { return [] }
        while try reader.hasElement() {
            guard try reader.beginOptionalList() else { continue }
            var host: String?
            var port: Int64?
            if try reader.hasElement() {
                host = try reader.optionalString().map { reader.text($0.prefix(254)) }
                if try reader.hasElement() {
                    port = try reader.optionalInteger()
                    while try reader.hasElement() { try reader.skipValue() }
                }
            }
            guard let host, let port = port.flatMap({ UInt16(exactly: $0) }), nodes.count < limits.nodeCount,
                let node = HostAndPort(host: host, port: port)
            else { continue }
            nodes.append(node)
        }
        return nodes
    }
}
