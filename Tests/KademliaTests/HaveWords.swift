import Availability
import Cryptography
import Kademlia
import Primitives
import Testing

extension Kin {
    static let infoHash = InfoHash(hex: "0123456789abcdef0123456789abcdef01234567") ?? InfoHash(.zero)

    /// A record of this node, as if it had all pieces.
    ///
    /// - Parameter age: milliseconds before the beginning of the dialogue.
    func record(
        of infoHash: InfoHash = Kin.infoHash,
        pieces: Bitfield = Bitfield(filled: 1000),
        age: Int64 = 0,
        lifetime: Int = 3600,
        at endpoint: Endpoint? = nil
    ) throws -> AvailabilityRecord {
        let content = RecordContent(
            try #require(HaveBlob(pieces, rarestFirst: pieces.held)),
            heldCount: pieces.setCount,
            port: contact.endpoint.port,
            lifetimeSeconds: lifetime,
            endpoint4: endpoint
        )
        return try AvailabilityRecord(signing: content, of: infoHash, sequence: Kin.epoch - age, with: key)
    }
}

extension Bitfield {
    var held: [Int] { (0..<count).filter { self[$0] } }

    /// Pieces that no run and no short bitfield says exactly, so that the have-blob is as long as it may be.
    static func scattered(_ count: Int = 100_000) -> Bitfield {
        var pieces = Bitfield(count: count)
        var random = SeededRandom(seed: 7)
        for index in 0..<count where Bool.random(using: &random) { pieces[index] = true }
        return pieces
    }
}

/// What stands in a `put_have`, to be varied field by field.
struct HaveWords {
    var infoHash: String
    var key: String
    var sequence: String
    var signature: String
    var token: String?
    var value: String

    init(_ record: AvailabilityRecord) {
        infoHash = record.infoHash.wireText
        key = text(record.key.bytes)
        sequence = "3:seqi\(record.sequence)e"
        signature = text(record.signature.bytes)
        value = text(record.value)
    }

    func query(_ token: String) -> String {
        let token = self.token ?? token
        return "d1:ad2:id20:\(querier)9:info_hash\(infoHash.unicodeScalars.count):\(infoHash)"
            + "1:k\(key.unicodeScalars.count):\(key)\(sequence)3:sig\(signature.unicodeScalars.count):\(signature)"
            + "5:token\(token.unicodeScalars.count):\(token)1:v\(value)e1:q8:put_have1:t2:aa\(Kin.version)1:y1:qe"
    }
}

/// One record of a reply, as it stands there.
func entry(_ record: AvailabilityRecord, seenAt: Endpoint?) -> String {
    let source = seenAt.map { "1:a\($0.compactByteCount):\($0.wireText)" } ?? ""
    return "d\(source)1:k32:\(text(record.key.bytes))3:seqi\(record.sequence)e"
        + "3:sig64:\(text(record.signature.bytes))1:v\(text(record.value))e"
}

extension Dialogue {
    /// The query `get_have`, padded to 350 bytes unless told otherwise.
    static func getHave(_ infoHash: InfoHash = Kin.infoHash, known: [[UInt8]] = [], padded: Int? = 350) -> String {
        let list = known.map { "\($0.count):\(text($0))" }.joined()
        let head = "d1:ad2:id20:\(querier)9:info_hash20:\(infoHash.wireText)" + (known.isEmpty ? "" : "1:xl\(list)e")
        let tail = "e1:q8:get_have1:t4:aaaa\(Kin.version)1:y1:qe"
        guard let padded else { return head + tail }
        let filler = max(100, padded - wire(head + tail).count - 7)
        return head + "1:z\(filler):" + String(repeating: "0", count: filler) + tail
    }

    /// The token that the node gives for an info-hash.
    mutating func haveToken(of infoHash: InfoHash = Kin.infoHash, to sender: Endpoint) -> String {
        AnsweringTests.token(in: answer(to: Dialogue.getHave(infoHash), from: sender))
    }

    /// Puts a record with a fresh token and returns what the node says to it.
    mutating func putHave(
        _ record: AvailabilityRecord,
        from sender: Endpoint,
        _ change: (inout HaveWords) -> Void = { _ in }
    ) -> String? {
        var words = HaveWords(record)
        change(&words)
        return answer(to: words.query(haveToken(of: record.infoHash, to: sender)), from: sender)
    }
}
