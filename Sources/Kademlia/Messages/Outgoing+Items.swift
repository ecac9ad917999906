import Cryptography
import Primitives

/// The arguments of a `put` (BEP 44).
struct OutgoingPut: Hashable, Sendable {
    let item: Item
    let token: [UInt8]
    /// The sequence number that is to be replaced.
    var compareAndSwap: Int64?
    /// How long ago the item was published, for those who publish it again on behalf of others.
    ///
    /// Ours: BEP 44 gives a `put` no author, so nodes that keep items alive for each other could never let one die. Other
    /// programs pass over the argument.
    var age: Duration?
}

extension ByteWriter {
    /// Writes the arguments of `get` behind the identifier.
    mutating func arguments(ofGet target: NodeID, newerThan sequence: Int64?) {
        if let sequence { append(utf8: "3:seqi\(sequence)e") }
        append(utf8: "6:target20:")
        target.value.write(to: &self)
        append(utf8: "e1:q3:get")
    }

    /// Writes the arguments of `put` that come before the identifier.
    mutating func head(ofPut put: OutgoingPut) {
        if let age = put.age { append(utf8: "3:agei\(Int64(age.inSeconds))e") }
        if let expected = put.compareAndSwap { append(utf8: "3:casi\(expected)e") }
    }

    /// Writes the others.
    mutating func arguments(ofPut put: OutgoingPut) {
        if let seal = put.item.seal {
            append(utf8: "1:k32:")
            seal.key.value.write(to: &self)
            if !seal.salt.isEmpty { string("4:salt", seal.salt) }
            append(utf8: "3:seqi\(seal.sequence)e3:sig64:")
            seal.signature.write(to: &self)
        }
        string("5:token", put.token)
        append(utf8: "1:v")
        append(put.item.value)
        append(utf8: "e1:q3:put")
    }

    // The values of a reply to `get`, in this order: key, nodes, sequence, token, value.

    mutating func replyKey(_ key: Ed25519.PublicKey) {
        append(utf8: "1:k32:")
        key.value.write(to: &self)
    }

    mutating func replySequence(_ sequence: Int64, signature: Ed25519.Signature?) {
        append(utf8: "3:seqi\(sequence)e")
        guard let signature else { return }
        append(utf8: "3:sig64:")
        signature.write(to: &self)
    }

    mutating func replyValue(_ value: [UInt8]) {
        append(utf8: "1:v")
        append(value)
    }

    private mutating func string(_ key: String, _ bytes: [UInt8]) {
        append(utf8: "\(key)\(bytes.count):")
        append(bytes)
    }
}

extension ReplySize {
    /// How many bytes of contacts fit into a reply to `get` that carries this item (hardening D9).
    static func contacts(beside item: Item, transaction: Int, _ limits: DHTLimits) -> Int {
        // Key 38, sequence number at most 26, signature 72, head of the value 3; the frame of values is not there.
        let seal = item.seal == nil ? 0 : 38 + 26 + 72
        return limits.itemReplyBytes - fixed - seal - 3 - item.value.count - transaction
    }
}
