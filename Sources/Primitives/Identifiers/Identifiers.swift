/// A 20-byte name on the wire that must not be mistaken for another kind of 20-byte name.
@usableFromInline
package protocol Identifier: Hashable, Sendable, CustomStringConvertible {
    var value: UInt160 { get }
    init(_ value: UInt160)
}

extension Identifier {
    @inlinable
    package init?(_ bytes: RawSpan, at offset: Int = 0) {
        guard let value = UInt160(bytes, at: offset) else { return nil }
        self.init(value)
    }

    /// Exactly 20 bytes, else `nil`.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == UInt160.byteCount, let value = UInt160(bytes.span.bytes) else { return nil }
        self.init(value)
    }

    /// Exactly 40 hexadecimal digits in either case, else `nil`.
    package init?(hex: some StringProtocol) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes)
    }

    package var bytes: [UInt8] { value.bytes }
    package var hex: String { Hex.encode(bytes) }
    @usableFromInline package var description: String { hex }
}

/// The name of a DHT node, and a place in its key space (BEP 5).
@usableFromInline
package struct NodeID: Identifier, Comparable {
    @usableFromInline package let value: UInt160

    @inlinable
    package init(_ value: UInt160) { self.value = value }

    /// The place in the key space where an info-hash is looked up.
    @inlinable
    package init(_ infoHash: InfoHash) { self.value = infoHash.value }

    @inlinable
    package func distance(to other: NodeID) -> UInt160 { value ^ other.value }

    @inlinable
    package func isCloser(to target: NodeID, than other: NodeID) -> Bool {
        distance(to: target) < other.distance(to: target)
    }

    @inlinable
    package static func < (left: NodeID, right: NodeID) -> Bool { left.value < right.value }
}

/// SHA-1 of the bencoded `info` dictionary: the name of a torrent (BEP 3).
@usableFromInline
package struct InfoHash: Identifier {
    @usableFromInline package let value: UInt160
    @inlinable
    package init(_ value: UInt160) { self.value = value }
}

/// The 20 bytes that a client calls itself by in a peer handshake (BEP 3, BEP 20).
@usableFromInline
package struct PeerID: Identifier {
    @usableFromInline package let value: UInt160
    @inlinable
    package init(_ value: UInt160) { self.value = value }
}

/// A SHA-1 digest: the expected hash of a piece.
@usableFromInline
package struct SHA1Digest: Identifier {
    @usableFromInline package let value: UInt160
    @inlinable
    package init(_ value: UInt160) { self.value = value }
}
