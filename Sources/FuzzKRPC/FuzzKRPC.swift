import Cryptography
import Kademlia
import Primitives

/// Feeds one input to a fresh node: cut into datagrams, from changing sources, with time passing between them.
///
/// A datagram is preceded by two bytes: which source it comes from (and whether time passes), and its length. A source
/// of all kinds of address takes part, and four of them are bootstrap nodes that every kind of lookup asks. Nobody can
/// guess a transaction, so where the input says `1:t4:####` it stands for that of a query to this source, which four bits
/// of the first byte choose; and `5:token8:########` for the token that the source would be given.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafeRawPointer?, _ count: Int) -> CInt {
    // Safe: libFuzzer hands over `count` readable bytes for the time of the call.
    let input = unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    var subject = FuzzSubject()
    subject.feed(input)
    return 0
}

/// A node with a fixed seed, and lookups and stores of all kinds under way.
struct FuzzSubject: ~Copyable {
    private static let sources: [Endpoint] = [
        Endpoint(.v4(0x7f00_0001), 6881),
        Endpoint(.v4(0x0808_0404), 6881),
        Endpoint(.v4(0x0808_0505), 1),
        Endpoint(.v4(0x0a00_0001), 6881),
        Endpoint(.v4(0xe000_0001), 6881),
        Endpoint(.v4(0x0909_0909), 0),
        Endpoint(.v6(high: 0x2001_0db8_0000_0000, low: 1), 6881),
        Endpoint(.v4(0x0808_0406), 6882),
    ]

    private var node: DHTNode
    private var actions = DHTActionBuffer()
    private var now = Instant.zero
    /// The queries that were not answered yet, in their order, by whom the node asked.
    private var transactions: [Endpoint: [ArraySlice<UInt8>]] = [:]
    private var tokens: [Endpoint: ArraySlice<UInt8>] = [:]

    init() {
        let source = NodeIDSource(UInt160(high: 1, middle: 2, low: 3))
        node = DHTNode(identity: source, key: FuzzSubject.key, seed: 1, now: .zero)
        // The time of the record among the seeds.
        node.wallClock = WallClock(unixMilliseconds: 1_700_000_000_000, at: now)
        node.start(bootstrap: true, remembered: [], at: now, into: &actions)
        node.bootstrapNodesResolved(Array(FuzzSubject.sources.prefix(4)), at: now, into: &actions)
        let infoHash = InfoHash(UInt160(high: 4, middle: 5, low: 6))
        _ = node.findPeers(of: infoHash, announcingPort: 6881, at: now, into: &actions)
        _ = node.scrape(infoHash, at: now, into: &actions)
        _ = node.sample(around: NodeID(infoHash), at: now, into: &actions)
        _ = node.findItem(NodeID(infoHash), salt: [1], at: now, into: &actions)
        if let item = try? Item(immutable: Array("4:spam".utf8)) { _ = node.store(item, at: now, into: &actions) }
        _ = node.findRecords(of: FuzzSubject.recorded, pieceCount: 100_000, asking: [], at: now, into: &actions)
        noteQueries()
        for source in FuzzSubject.sources { learnToken(for: source) }
    }

    mutating func feed(_ input: [UInt8]) {
        let bytes = input.span.bytes
        var offset = 0
        while let head = bytes.byte(at: offset), let length = bytes.byte(at: offset + 1) {
            let end = min(offset + 2 + Int(length) * 4, bytes.byteCount)
            let source = FuzzSubject.sources[Int(head & 7)]
            actions.removeAll()
            let content = withToken(of: source, Array(input[min(offset + 2, end)..<end]))
            let datagram = answering(source, Int(head >> 3 & 15), content)
            node.received(datagram.span.bytes, from: source, at: now, into: &actions)
            if head & 0x80 != 0 {
                now = now + .milliseconds(Int64(head & 0x78) * 100)
                node.advanced(to: now, into: &actions)
            }
            noteQueries()
            offset = end
        }
        // And the input as one datagram, which is what a saved packet is.
        node.received(bytes, from: FuzzSubject.sources[0], at: now, into: &actions)
    }

    private static let key: Ed25519.SigningKey? = {
        let seed = (0..<32).map { UInt8($0) }
        return Ed25519.SigningKey(seed: seed.span.bytes)
    }()
    private static let transaction = Array("1:t4:".utf8)
    private static let token = Array("5:token8:".utf8)
    /// The info-hash of the record among the seeds.
    private static let recorded = InfoHash(
        UInt160(high: 0x0123_4567_89ab_cdef, middle: 0x0123_4567_89ab_cdef, low: 0x0123_4567)
    )

    /// Asks for the token that lets a source put a record here.
    private mutating func learnToken(for source: Endpoint) {
        actions.removeAll()
        var query = ByteWriter()
        query.append(utf8: "d1:ad2:id20:abcdefghij01234567899:info_hash20:")
        FuzzSubject.recorded.value.write(to: &query)
        query.append(utf8: "e1:q8:get_have1:t2:aa1:y1:qe")
        node.received(query.bytes.span.bytes, from: source, at: now, into: &actions)
        if let place = actions.bytes.firstRange(of: FuzzSubject.token) {
            tokens[source] = actions.bytes[place.upperBound...].prefix(8)
        }
        noteQueries()
    }

    /// The input with the transaction of a query to the source, which is answered by that, in the place of `####`.
    private mutating func answering(_ source: Endpoint, _ choice: Int, _ input: [UInt8]) -> [UInt8] {
        guard let place = input.firstRange(of: FuzzSubject.transaction + Array("####".utf8)),
            let count = transactions[source]?.count, count > 0,
            let transaction = transactions[source]?.remove(at: choice % count)
        else { return input }
        return input[..<place.lowerBound] + FuzzSubject.transaction + transaction + input[place.upperBound...]
    }

    /// The input with the source's token in the place of `########`.
    private func withToken(of source: Endpoint, _ input: [UInt8]) -> [UInt8] {
        guard let place = input.firstRange(of: FuzzSubject.token + Array("########".utf8)), let token = tokens[source]
        else { return input }
        return input[..<place.lowerBound] + FuzzSubject.token + token + input[place.upperBound...]
    }

    private mutating func noteQueries() {
        for action in actions.actions {
            guard case .send(let range, let endpoint) = action else { continue }
            let sent = actions.bytes[range]
            guard let place = sent.firstRange(of: FuzzSubject.transaction) else { continue }
            transactions[endpoint, default: []].append(sent[place.upperBound...].prefix(4))
        }
    }
}
