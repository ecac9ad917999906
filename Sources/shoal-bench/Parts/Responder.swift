import Bencode
import Kademlia
import Primitives

/// A DHT node in the middle of a big network that exists only as datagrams; nothing is sent.
struct Responder: ~Copyable {
    struct Query {
        let datagram: [UInt8]
        let sender: Endpoint
    }

    private(set) var node: DHTNode
    private var actions = DHTActionBuffer()
    private var now = Instant.zero
    private var random = SeededRandom(seed: 2)
    private var known: [Contact] = []

    /// - Parameter nodes: how many it meets; its table keeps those that fit.
    init(nodes: Int) throws(BenchError) {
        var limits = DHTLimits()
        // A thousand queries in a millisecond must pass all limits, which are still counted.
        limits.queriesPerAddress = 1 << 30
        limits.queriesPerNetwork = 1 << 30
        limits.replyBytesPerSecond = 1 << 40
        node = DHTNode(id: NodeID(.random(using: &random)), limits: limits, seed: 3, now: now)
        for _ in 0..<nodes { try meet(stranger()) }
        known = node.contacts
        guard known.count >= 64 else { throw .failed("only \(known.count) nodes came into the DHT table") }
    }

    mutating func answer(_ query: Query) {
        now = now + .microseconds(10)
        node.received(query.datagram.span.bytes, from: query.sender, at: now, into: &actions)
        actions.removeAll()
    }

    mutating func names(_ count: Int) -> [UInt160] { (0..<count).map { _ in .random(using: &random) } }

    /// Queries of nodes in the table for these places or info-hashes.
    func queries(_ method: String, _ names: [UInt160]) -> [Query] {
        names.enumerated().map { index, name in
            let asker = known[index % known.count]
            return Query(datagram: Responder.datagram(method, from: asker.id, about: name), sender: asker.endpoint)
        }
    }

    /// Has so many peers announced, each with the token that it was given.
    mutating func store(peers: Int, under name: UInt160) throws(BenchError) {
        for _ in 0..<peers {
            let peer = stranger()
            let question = Responder.datagram("9:get_peers", from: peer.id, about: name)
            let reply = exchange(question, from: peer.endpoint)
            guard let token = Responder.string("token", in: reply) else { throw .failed("get_peers gave no token") }
            let announce = Responder.datagram("13:announce_peer", from: peer.id, about: name, token: token)
            _ = exchange(announce, from: peer.endpoint)
        }
    }

    /// Pings a node and lets it answer: the only way into the table.
    private mutating func meet(_ contact: Contact) throws(BenchError) {
        now = now + .microseconds(10)
        _ = node.ping(contact.endpoint, at: now, into: &actions)
        let query = actions.bytes
        actions.removeAll()
        guard let transaction = Responder.string("t", in: query) else { throw .failed("a ping has no transaction") }
        var reply = ByteWriter()
        reply.append(utf8: "d1:rd2:id20:")
        contact.id.value.write(to: &reply)
        reply.append(utf8: "e1:t\(transaction.count):")
        reply.append(transaction)
        reply.append(utf8: "1:y1:re")
        _ = exchange(reply.bytes, from: contact.endpoint)
    }

    /// Hands a datagram in, and returns what the node sends at once.
    private mutating func exchange(_ datagram: [UInt8], from sender: Endpoint) -> [UInt8] {
        now = now + .microseconds(10)
        node.received(datagram.span.bytes, from: sender, at: now, into: &actions)
        defer { actions.removeAll() }
        for case .send(let range, to: sender) in actions.actions { return Array(actions.bytes[range]) }
        return []
    }

    /// Somewhere in 11.0.0.0/8 to 99.0.0.0/8: each in a network of its own, and free of no limit.
    private mutating func stranger() -> Contact {
        let address = UInt32.random(in: 11 << 24..<100 << 24, using: &random)
        return Contact(NodeID(.random(using: &random)), Endpoint(.v4(address), 6881))
    }

    private static func datagram(
        _ method: String,
        from id: NodeID,
        about name: UInt160,
        token: [UInt8]? = nil
    ) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(utf8: "d1:ad2:id20:")
        id.value.write(to: &writer)
        if method != "4:ping" {
            writer.append(utf8: method == "9:find_node" ? "6:target20:" : "9:info_hash20:")
            name.write(to: &writer)
        }
        if let token {
            writer.append(utf8: "4:porti6881e5:token\(token.count):")
            writer.append(token)
        }
        writer.append(utf8: "e1:q\(method)1:t2:xy1:y1:qe")
        return writer.bytes
    }

    /// A string of a message or of the dictionary in it, by its key.
    private static func string(_ name: StaticString, in message: [UInt8]) -> [UInt8]? {
        var reader = BencodeReader(message.span.bytes, limits: .krpc)
        var isWanted = false
        do throws(BencodeError) {
            repeat {
                guard case .string(let range) = try reader.next() else { continue }
                if isWanted { return reader.copy(range) }
                isWanted = reader.matches(range, name)
            } while reader.depth > 0
        } catch {
            return nil
        }
        return nil
    }
}
