import Cryptography
import Primitives

/// What a message says an item is: well formed, but nothing of it is proved.
struct ItemClaim: Hashable, Sendable {
    struct Seal: Hashable, Sendable {
        let key: Ed25519.PublicKey
        let salt: [UInt8]
        let sequence: Int64
        let signature: Ed25519.Signature
    }

    let value: [UInt8]
    let seal: Seal?
    let target: NodeID

    /// Reads a claim; `nil` where a field is missing or has another length than BEP 44 says.
    ///
    /// - Parameters:
    ///   - salt: what the item was asked by, for replies do not repeat it; `nil` reads it from the message.
    init?(_ body: MessageBody, in datagram: RawSpan, salt: [UInt8]? = nil) {
        guard let value = body.value.flatMap({ datagram.copy($0) }) else { return nil }
        self.value = value
        guard let range = body.key else {
            seal = nil
            target = Item.target(ofValue: value)
            return
        }
        guard let sequence = body.sequence, let proof = body.signature, range.count == Ed25519.PublicKey.byteCount,
            proof.count == Ed25519.Signature.byteCount,
            let key = Ed25519.PublicKey(datagram, at: range.lowerBound),
            let signature = Ed25519.Signature(datagram, at: proof.lowerBound)
        else { return nil }
        let salt = salt ?? body.salt.flatMap { datagram.copy($0) } ?? []
        seal = Seal(key: key, salt: salt, sequence: sequence, signature: signature)
        target = Item.target(of: key, salt: salt)
    }

    /// Whether it is `item` byte by byte, so that nothing is left to prove.
    func isSame(as item: Item) -> Bool {
        value == item.value && seal?.sequence == item.seal?.sequence && seal?.signature == item.seal?.signature
            && target == item.target
    }

    /// Everything that can be checked without the cost of a signature.
    func check() throws(ItemError) { try Item.check(value, seal?.salt ?? [], seal?.sequence ?? 0) }

    func proved() throws(ItemError) -> Item {
        guard let seal else { return try Item(immutable: value) }
        return try Item(
            verifying: value,
            key: seal.key,
            salt: seal.salt,
            sequence: seal.sequence,
            signature: seal.signature
        )
    }
}
