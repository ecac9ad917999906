import CSodium
package import Primitives

/// Diffie-Hellman over Curve25519 (RFC 7748), by libsodium: two parties that know each other's public keys agree on a
/// secret that nobody else learns.
package enum X25519 {
    /// 32 bytes that the other party is sent.
    package struct PublicKey: Hashable, Sendable {
        package static let byteCount = UInt256.byteCount
        package let value: UInt256

        package init(_ value: UInt256) { self.value = value }

        /// Reads 32 bytes, or `nil` where fewer are left. Whether they are a useful point shows when a secret is made.
        package init?(_ bytes: RawSpan, at offset: Int = 0) {
            guard let value = UInt256(bytes, at: offset) else { return nil }
            self.init(value)
        }

        package var bytes: [UInt8] { value.bytes }
        package var hex: String { Hex.encode(bytes) }
    }

    /// 32 secret bytes, in locked memory, and the public key that they make.
    package struct PrivateKey: Sendable {
        package let publicKey: PublicKey
        private let scalar: Secret

        /// Takes 32 bytes of any value, for they are clamped where they are used (RFC 7748, section 5).
        ///
        /// - Returns: `nil` for any other length, or where the system has no more memory for secrets.
        package init?(_ bytes: RawSpan) {
            guard bytes.byteCount == 32, let scalar = Secret(bytes) else { return nil }
            self.init(scalar)
        }

        /// A new key, that is kept nowhere; `nil` where the system has no more memory for secrets.
        package static func random() -> PrivateKey? {
            Secret.random(byteCount: 32).flatMap(PrivateKey.init)
        }

        private init?(_ scalar: Secret) {
            var point = [UInt8](repeating: 0, count: 32)
            // Safe: libsodium reads 32 bytes and writes 32.
            let isMade = PassingSecret.wipingStack {
                unsafe scalar.read { unsafe crypto_scalarmult_base(&point, $0) == 0 }
            }
            guard isMade, let publicKey = PublicKey(point.span.bytes) else { return nil }
            self.publicKey = publicKey
            self.scalar = scalar
        }

        /// Lends what both parties compute, each from its own private and the other's public key: input for a key
        /// derivation, and no key itself. It lies on the stack and is wiped there.
        ///
        /// - Returns: `false`, and lends nothing, where the secret would be all zeros, which is so for the few points of
        ///   small order: whoever sends one wants a secret that everybody knows (RFC 7748, section 6.1; hardening N25).
        package func agree(with other: PublicKey, _ body: (RawSpan) -> Void) -> Bool {
            let point = other.bytes
            // Safe: libsodium reads 32 bytes twice and writes 32, and the span ends with the closure that it is lent to.
            let isUseful: Bool? = unsafe PassingSecret.lend(byteCount: 32) { output in
                guard unsafe scalar.read({ unsafe crypto_scalarmult(output, $0, point) == 0 }) else { return false }
                body(unsafe RawSpan(_unsafeStart: output, byteCount: 32))
                return true
            }
            return isUseful == true
        }
    }
}
