import Bencode
import Kademlia
import Primitives

/// Hostile nodes that act as one: whatever they are asked, they name each other, and what they are given they drop.
///
/// They keep no state, answer at once and never lose an answer of their own, so they are better at what they do than
/// nodes of a botnet would be. What they answer is KRPC as it should be (BEP 5, BEP 44): a node cannot tell them from
/// honest ones by their form.
struct Colluders {
    private let byEndpoint: [Endpoint: Contact]
    private let sorted: [Contact]
    private let conduct: Hostility.Conduct

    init(_ members: [Contact], conduct: Hostility.Conduct) {
        byEndpoint = Dictionary(members.map { ($0.endpoint, $0) }, uniquingKeysWith: { first, _ in first })
        sorted = members.sorted { $0.id < $1.id }
        self.conduct = conduct
    }

    /// What the member at `endpoint` answers; `nil` for nothing.
    func reply(to datagram: ArraySlice<UInt8>, at endpoint: Endpoint) -> [UInt8]? {
        guard let member = byEndpoint[endpoint], let query = Query(Array(datagram).span.bytes) else { return nil }
        if conduct == .silent, query.target != nil { return nil }
        var writer = ByteWriter(capacity: 512)
        writer.append(utf8: "d1:rd2:id20:")
        member.id.value.write(to: &writer)
        if let target = query.target {
            let named = nearest(to: target)
            writer.append(utf8: "5:nodes\(named.count * Contact.compactByteCount(.v4)):")
            for contact in named { contact.writeCompact(to: &writer) }
            writer.append(utf8: "5:token4:evil")
            if query.isGetPeers, conduct == .lying { writer.append(Colluders.falseValues(for: target)) }
        }
        writer.append(utf8: "e1:t\(query.transaction.count):")
        writer.append(query.transaction)
        writer.append(utf8: "1:y1:re")
        return writer.bytes
    }

    /// Peers that are not there: what a reader is to waste its time with.
    private static func falseValues(for target: NodeID) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(utf8: "6:valuesl")
        for index in 0..<50 {
            let address = UInt32(truncatingIfNeeded: target.value.high) & 0x00ff_ff00 | 0x5a00_0001 + UInt32(index)
            writer.append(utf8: "6:")
            Endpoint(.v4(address), 6881).writeCompact(to: &writer)
        }
        writer.append(utf8: "e")
        return writer.bytes
    }

    /// The eight members nearest to a place.
    ///
    /// Those that share the most bits with it stand together in the sorted list, so a few dozen on each side of where
    /// it belongs are enough to look at.
    private func nearest(to place: NodeID) -> [Contact] {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle].id < place { low = middle + 1 } else { high = middle }
        }
        let around = sorted[max(0, low - 256)..<min(sorted.count, low + 256)]
        var nearest: [Contact] = []
        for contact in around {
            if nearest.count == 8, nearest[7].id.isCloser(to: place, than: contact.id) { continue }
            let position = nearest.firstIndex { contact.id.isCloser(to: place, than: $0.id) } ?? nearest.count
            nearest.insert(contact, at: position)
            if nearest.count > 8 { nearest.removeLast() }
        }
        return nearest
    }
}

extension Colluders {
    /// As much of a query as it takes to answer it.
    private struct Query {
        var transaction: [UInt8] = []
        /// What is looked for; `nil` for a ping or a store.
        var target: NodeID?
        var isGetPeers = false

        init?(_ datagram: RawSpan) {
            do {
                try read(BencodeReader(datagram, limits: .krpc))
            } catch {
                return nil
            }
        }

        private mutating func read(_ input: consuming BencodeReader) throws(BencodeError) {
            var reader = input
            var method: Range<Int>?
            var isQuery = false
            try reader.beginDictionary()
            while let key = try reader.nextKey() {
                if reader.matches(key, "a") {
                    try reader.beginDictionary()
                    while let key = try reader.nextKey() {
                        if reader.matches(key, "target") || reader.matches(key, "info_hash") {
                            target = reader.identifier(NodeID.self, try reader.string())
                        } else {
                            try reader.skipValue()
                        }
                    }
                } else if reader.matches(key, "q") {
                    method = try reader.string()
                } else if reader.matches(key, "t") {
                    transaction = reader.copy(try reader.string())
                } else if reader.matches(key, "y") {
                    isQuery = reader.matches(try reader.string(), "q")
                } else {
                    try reader.skipValue()
                }
            }
            guard isQuery, let method else { throw BencodeError(.truncated, at: 0) }
            isGetPeers = reader.matches(method, "get_peers")
            if reader.matches(method, "announce_peer") || reader.matches(method, "put") { target = nil }
        }
    }
}
