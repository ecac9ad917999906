package import Cryptography
package import Primitives

/// Makes the identifiers of one node: the part that BEP 42 ties to an address, and for the rest its key (secure-peer.md, §1).
///
/// Whoever knows the key and the address computes the same identifier, and both tables of a node share all but its head.
package struct NodeIDSource: Hashable, Sendable {
    /// The identifier where no address is known, or one that BEP 42 exempts.
    private let hash: UInt160

    package init(_ hash: UInt160) { self.hash = hash }

    package init(_ key: Ed25519.PublicKey) {
        // A digest of 20 bytes always makes a number.
        self.init(BLAKE2b.hash160(key.bytes.span.bytes, for: "SecPeer v1 nodeid") ?? .zero)
    }

    /// The one identifier for an external address.
    package func id(at address: IPAddress?) -> NodeID {
        guard let address, !address.isExemptFromBEP42 else { return NodeID(hash) }
        let number = UInt8(truncatingIfNeeded: hash.low) & 7
        let head = UInt64(address.bep42Head(number)) << 32
        return NodeID(
            UInt160(
                high: hash.high & ~NodeID.tiedBits | head & NodeID.tiedBits,
                middle: hash.middle,
                low: hash.low
            )
        )
    }

    /// Whether a node that we meet at `address` may go by `id` with this key.
    ///
    /// A host that we meet inside its own network, where any identifier goes, keeps the one that belongs to its external
    /// address.
    func mayGo(by id: NodeID, at address: IPAddress) -> Bool {
        id == self.id(at: address) || address.isExemptFromBEP42 && made(id)
    }

    /// Whether an identifier is ours, for whatever address.
    package func made(_ id: NodeID) -> Bool {
        (id.value.high ^ hash.high) & ~NodeID.tiedBits == 0 && id.value.middle == hash.middle
            && id.value.low == hash.low
    }
}

extension NodeID {
    /// The 21 bits that BEP 42 ties to the address.
    fileprivate static let tiedBits: UInt64 = 0xffff_f800 << 32

    /// Whether a node at `address` may go by this identifier (BEP 42).
    package func fits(_ address: IPAddress) -> Bool {
        if address.isExemptFromBEP42 { return true }
        let head = UInt64(address.bep42Head(UInt8(truncatingIfNeeded: value.low) & 7)) << 32
        return (value.high ^ head) & NodeID.tiedBits == 0
    }
}

extension IPAddress {
    /// Where everybody may go by any identifier: nobody outside of that network meets it.
    fileprivate var isExemptFromBEP42: Bool { isLoopback || isPrivate }

    /// The checksum whose first 21 bits an identifier begins with, for one of eight numbers (BEP 42).
    ///
    /// Of IPv6 the upper half counts, and eight bytes are hashed; of IPv4 four, as libtorrent does: the BEP's "64 bit
    /// integer" is at odds with its own example and vectors.
    fileprivate func bep42Head(_ number: UInt8) -> UInt32 {
        switch self {
        case .v4(let bits): CRC32C.hash(bits & 0x030f_3fff | UInt32(number & 7) << 29)
        case .v6(let high, _): CRC32C.hash(high & 0x0103_070f_1f3f_7fff | UInt64(number & 7) << 61)
        }
    }
}
