import Primitives
import Shoal

/// `shoal dht ping|find|get-peers|table`
enum DHTCommand {
    static func run(
        _ question: Invocation.DHTQuestion,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        let node = Node(try question.network.configuration(on: console))
        let answer = DHTAnswer(json: options.json, console: console)
        do throws(ShoalError) {
            try await node.start()
            let code = try await ask(question, node, answer)
            await node.stop()
            return code
        } catch {
            await node.stop()
            throw error
        }
    }

    private static func ask(
        _ question: Invocation.DHTQuestion,
        _ node: Node,
        _ answer: DHTAnswer<some Console>
    ) async throws(ShoalError) -> Int32 {
        let seconds = question.timeout.inSeconds
        switch question.kind {
        case .ping(let address):
            guard let (id, roundTrip) = try await node.ping(address) else {
                throw ShoalError(.noPeers, "\(address) does not answer")
            }
            try answer.pong(from: address, id: id, roundTrip: roundTrip)
        case .find(let target):
            let contacts = try await node.findNodes(closestTo: target, timeout: seconds)
            guard !contacts.isEmpty else {
                throw ShoalError(.noPeers, "no DHT node answers; name one with --bootstrap")
            }
            try answer.contacts(contacts, "node")
        case .peers(let infoHash):
            let peers = try await node.findPeers(of: infoHash, timeout: seconds)
            guard !peers.isEmpty else { throw ShoalError(.noPeers, "the DHT knows no peer for \(infoHash)") }
            try answer.peers(peers)
        case .table:
            let contacts = try await node.routingTable(timeout: seconds)
            guard !contacts.isEmpty else {
                throw ShoalError(.noPeers, "no DHT node answers; name one with --bootstrap")
            }
            try answer.contacts(contacts, "contact")
        }
        return 0
    }
}

/// Answers as lines for a person or a script.
struct DHTAnswer<Surroundings: Console> {
    let json: Bool
    let console: Surroundings

    func pong(from address: String, id: String, roundTrip: Double) throws(ShoalError) {
        var object = JSONObject(event: "pong")
        object.add("address", address)
        object.add("node_id", id)
        object.add("round_trip_s", roundTrip, digits: 6)
        let milliseconds = DecimalText.fixed(roundTrip * 1000, digits: 1) ?? "0.0"
        try print(json ? object.line : "\(id) at \(address) answered in \(milliseconds) ms")
    }

    func contacts(_ contacts: [DHTContact], _ event: String) throws(ShoalError) {
        for contact in contacts {
            var object = JSONObject(event: event)
            object.add("node_id", contact.nodeID)
            object.add("address", contact.address)
            try print(json ? object.line : "\(contact.nodeID)  \(contact.address)")
        }
    }

    func peers(_ peers: [String]) throws(ShoalError) {
        for peer in peers {
            var object = JSONObject(event: "found")
            object.add("address", peer)
            try print(json ? object.line : peer)
        }
    }

    private func print(_ line: String) throws(ShoalError) { try console.write(line + "\n", to: .standardOutput) }
}
