import CSodium
package import Primitives

/// Signatures of RFC 8032, by libsodium: who made an item of BEP 44, and who this node is.
package enum Ed25519 {
    /// 32 bytes that name a signer.
    package struct PublicKey: Hashable, Sendable {
        package static let byteCount = UInt256.byteCount
        package let value: UInt256

        package init(_ value: UInt256) { self.value = value }

        /// Reads 32 bytes, or `nil` where fewer are left. Whether they are a point shows when a signature is checked.
        package init?(_ bytes: RawSpan, at offset: Int = 0) {
            guard let value = UInt256(bytes, at: offset) else { return nil }
            self.init(value)
        }

        package var bytes: [UInt8] { value.bytes }
        package var hex: String { Hex.encode(bytes) }
    }

    /// 64 bytes: a point and a scalar.
    package struct Signature: Hashable, Sendable {
        package static let byteCount = 64
        package let point: UInt256
        package let scalar: UInt256

        package init(point: UInt256, scalar: UInt256) {
            self.point = point
            self.scalar = scalar
        }

        /// Reads 64 bytes, or `nil` where fewer are left.
        package init?(_ bytes: RawSpan, at offset: Int = 0) {
            guard let point = UInt256(bytes, at: offset),
                let scalar = UInt256(bytes, at: offset &+ UInt256.byteCount)
            else { return nil }
            self.init(point: point, scalar: scalar)
        }

        package func write(to writer: inout ByteWriter) {
            point.write(to: &writer)
            scalar.write(to: &writer)
        }

        package var bytes: [UInt8] { point.bytes + scalar.bytes }
        package var hex: String { Hex.encode(bytes) }
    }

    /// Whether `key` made `signature` over `message`.
    ///
    /// Keys of small order and scalars that are not reduced are refused, so that nobody can vary a signature of another.
    package static func verify(_ signature: Signature, of message: RawSpan, by key: PublicKey) -> Bool {
        let (signature, key) = (signature.bytes, key.bytes)
        // Safe: libsodium reads 64 and 32 bytes, which the arrays have, and the span's own.
        return unsafe message.withUnsafeBytes {
            let input = unsafe $0.bindMemory(to: UInt8.self)
            let length = UInt64(input.count)
            return unsafe crypto_sign_verify_detached(signature, input.baseAddress, length, key) == 0
        }
    }
}
