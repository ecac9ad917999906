import Cryptography
import Kademlia
import Primitives

/// A node of our own kind: its key, where it is, and what it says.
struct Kin {
    /// Unix milliseconds at the start of every dialogue.
    static let epoch: Int64 = 1_700_000_000_000
    static let version = "1:v4:sw\u{0}\u{1}"

    let key: Ed25519.SigningKey
    let contact: Contact

    var endpoint: Endpoint { contact.endpoint }

    /// - Parameter number: makes the key; 0 is that of the design's known answers.
    init(_ number: UInt8, at endpoint: String) {
        let seed = (0..<32).map { UInt8($0) &+ number }
        // A seed of 32 bytes makes a key wherever memory can be locked.
        guard let key = Ed25519.SigningKey(seed: seed.span.bytes) else { preconditionFailure("no locked memory") }
        self.key = key
        let endpoint = Endpoint.at(endpoint)
        contact = Contact(NodeIDSource(key.publicKey).id(at: endpoint.address), endpoint)
    }

    /// The node of the design's known answers, at the address of BEP 42's first vector.
    static let known = Kin(0, at: "124.31.75.21:6881")

    /// The query `sp_id` of somebody with this identifier.
    static func question(_ nonce: [UInt8], padding: Int = 120, id: String = querier, extra: String = "") -> String {
        "d1:ad2:id20:\(id)1:n\(nonce.count):\(text(nonce))1:z\(padding):\(text([UInt8](repeating: 0, count: padding)))e"
            + "1:q5:sp_id\(extra)1:t4:abcd\(version)1:y1:qe"
    }

    /// What is signed for a question, in the words of the design.
    static func signedBytes(_ nonce: String, _ id: NodeID, _ querier: Endpoint) -> [UInt8] {
        wire("SecPeer v1 node binding\u{0}" + nonce + id.wireText + querier.wireText)
    }

    /// The values of a proof for the question in a query that a node sent.
    ///
    /// - Parameter querier: whom the signature is for.
    func proof(of query: Dialogue.Sent, to querier: Endpoint, id: NodeID? = nil) -> String {
        guard let range = query.text.firstRange(of: "1:n32:") else { return "" }
        let nonce = String(String.UnicodeScalarView(query.text[range.upperBound...].unicodeScalars.prefix(32)))
        let signed = Kin.signedBytes(nonce, id ?? contact.id, querier)
        let signature = key.signature(of: signed.span.bytes)?.bytes ?? []
        return "1:k32:\(text(key.publicKey.bytes))3:sig64:\(text(signature))"
    }
}

extension Dialogue {
    /// Answers a query that the node sent as a node of our kind.
    mutating func replies(
        to query: Sent,
        as kin: Kin,
        from endpoint: Endpoint? = nil,
        seeing us: Endpoint?,
        _ values: String = "",
        version: String = Kin.version
    ) {
        let ip = us.map { "2:ip\($0.compactByteCount):\($0.wireText)" } ?? ""
        receives(
            "d\(ip)1:rd2:id20:\(kin.contact.id.wireText)\(values)e1:t4:\(query.transaction)\(version)1:y1:re",
            from: endpoint ?? query.to
        )
    }

    /// Lets the node meet others of its kind, each of whom proves its key.
    mutating func befriends(_ kin: [Kin], as us: Endpoint) {
        for friend in kin {
            receives(
                "d1:ad2:id20:\(friend.contact.id.wireText)e1:q4:ping1:t1:x\(Kin.version)1:y1:qe",
                from: friend.endpoint
            )
            answersAll(as: kin, seenAt: us)
        }
        _ = takeActions()
    }

    /// Answers every query to these nodes: with their names, with proofs, and with no records.
    mutating func answersAll(as kin: [Kin], seenAt us: Endpoint) {
        var queries = takeSent().filter(\.isQuery)
        while let query = queries.popLast() {
            guard let friend = kin.first(where: { $0.endpoint == query.to }) else { continue }
            let proof = query.isQuery("sp_id") ? friend.proof(of: query, to: us) : ""
            replies(to: query, as: friend, seeing: us, proof)
            queries += takeSent().filter(\.isQuery)
        }
    }
}
