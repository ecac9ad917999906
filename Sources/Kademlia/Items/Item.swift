package import Bencode
package import Cryptography
package import Primitives

/// A value in the DHT that is known by its target (BEP 44): immutable at the hash of itself, or mutable at the hash of a
/// key, whose owner signs each version.
///
/// Whoever holds one may believe it: there is no way to make one whose signature does not fit.
package struct Item: Hashable, Sendable {
    /// What a mutable item has besides its value.
    package struct Seal: Hashable, Sendable {
        package let key: Ed25519.PublicKey
        /// Tells items of one key apart; empty for none.
        package let salt: [UInt8]
        /// Higher for each version of the item.
        package let sequence: Int64
        package let signature: Ed25519.Signature
    }

    /// The bencoded value, byte by byte as it was published.
    package let value: [UInt8]
    /// `nil` for an immutable item.
    package let seal: Seal?
    /// The place in the key space where it is stored.
    package let target: NodeID

    /// Bytes of a bencoded value that every node must take (BEP 44).
    package static let longestValue = 1000
    /// Bytes of a salt (BEP 44).
    package static let longestSalt = 64

    /// Makes an immutable item.
    ///
    /// - Parameters:
    ///   - value: bencoded.
    package init(immutable value: [UInt8]) throws(ItemError) {
        try Item.check(value)
        self.value = value
        seal = nil
        target = Item.target(ofValue: value)
    }

    /// Signs a version of a mutable item.
    ///
    /// - Parameters:
    ///   - value: bencoded.
    ///   - salt: tells items of one key apart, at most 64 bytes.
    ///   - sequence: higher than that of the version before, and not negative.
    package init(
        signing value: [UInt8],
        salt: [UInt8] = [],
        sequence: Int64,
        with key: Ed25519.SigningKey
    ) throws(ItemError) {
        try Item.check(value, salt, sequence)
        let signed = SignedItem.bytes(value, salt: salt, sequence: sequence)
        guard let signature = key.signature(of: signed.span.bytes) else { throw .invalidSignature }
        self.value = value
        seal = Seal(key: key.publicKey, salt: salt, sequence: sequence, signature: signature)
        target = Item.target(of: key.publicKey, salt: salt)
    }

    /// Takes a version that somebody else signed, if the signature is good.
    ///
    /// - Parameters:
    ///   - value: bencoded.
    package init(
        verifying value: [UInt8],
        key: Ed25519.PublicKey,
        salt: [UInt8],
        sequence: Int64,
        signature: Ed25519.Signature
    ) throws(ItemError) {
        try Item.check(value, salt, sequence)
        let signed = SignedItem.bytes(value, salt: salt, sequence: sequence)
        guard Ed25519.verify(signature, of: signed.span.bytes, by: key) else { throw .invalidSignature }
        self.value = value
        seal = Seal(key: key, salt: salt, sequence: sequence, signature: signature)
        target = Item.target(of: key, salt: salt)
    }

    /// Whether this is a later version than `other`; a mutable item beats an immutable one at the same target, which
    /// nobody can make.
    package func isNewer(than other: Item?) -> Bool {
        guard let other else { return true }
        guard let seal, let old = other.seal else { return false }
        return seal.sequence > old.sequence
    }

    /// Where an immutable item is stored: SHA-1 of its value.
    package static func target(ofValue value: [UInt8]) -> NodeID { NodeID(SHA1.hash(value).value) }

    /// Where a mutable item is stored: SHA-1 of its key and its salt.
    package static func target(of key: Ed25519.PublicKey, salt: [UInt8] = []) -> NodeID {
        NodeID(SHA1.hash(key.bytes + salt).value)
    }

    /// Insists on what BEP 44 allows. Bencode has one form for each value; another one would make two targets of one
    /// value, and is refused (hardening P4).
    static func check(_ value: [UInt8], _ salt: [UInt8] = [], _ sequence: Int64 = 0) throws(ItemError) {
        guard value.count <= longestValue else { throw .valueTooLong }
        guard salt.count <= longestSalt else { throw .saltTooLong }
        guard sequence >= 0 else { throw .negativeSequence }
        var reader = BencodeReader(value.span.bytes, limits: .item)
        do {
            try reader.skipValue()
            try reader.finish()
        } catch {
            throw .malformedValue(error)
        }
    }
}

extension BencodeLimits {
    /// The value of an item. It travels two levels deep in a packet, among at most forty other tokens: what is allowed
    /// here is still allowed there (`krpc`).
    fileprivate static let item = BencodeLimits(depth: 8, tokens: 460, byteCount: Item.longestValue, isStrict: true)
}

/// Why something is no item (BEP 44).
package enum ItemError: Error, Hashable, Sendable {
    case valueTooLong
    case saltTooLong
    case negativeSequence
    case malformedValue(BencodeError)
    case invalidSignature
}
