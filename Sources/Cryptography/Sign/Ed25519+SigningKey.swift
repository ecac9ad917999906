import CSodium
import Primitives

extension Ed25519 {
    /// A private key in its expanded form (RFC 8032, 5.1.5): the scalar that signs, and the prefix that nonces come from.
    ///
    /// BEP 44 publishes its vectors with expanded keys, and other clients keep theirs so; a seed is expanded at once,
    /// which leaves one way to sign.
    package struct SigningKey: Sendable {
        package let publicKey: PublicKey
        /// Scalar and prefix, 32 bytes each.
        private let expanded: Secret

        /// Expands a seed of 32 bytes; `nil` for any other length, or where the system has no more memory for secrets.
        package init?(seed: RawSpan) {
            guard seed.byteCount == 32 else { return nil }
            // Safe: SHA-512 reads the 32 bytes of the seed and writes 64.
            let expanded = unsafe Secret(
                byteCount: 64,
                writing: { digest in
                    unsafe seed.withUnsafeBytes {
                        _ = unsafe crypto_hash_sha512(digest, $0.bindMemory(to: UInt8.self).baseAddress, 32)
                    }
                    unsafe digest[0] &= 0xf8
                    unsafe digest[31] = digest[31] & 0x7f | 0x40
                }
            )
            guard let expanded else { return nil }
            self.init(expanded)
        }

        /// A new key, that is kept nowhere; `nil` where the system has no more memory for secrets.
        package static func random() -> SigningKey? {
            guard let seed = Secret.random(byteCount: 32) else { return nil }
            return SigningKey(seed: seed.bytes)
        }

        /// Takes scalar and prefix, 32 bytes each; `nil` for any other length, or for a scalar that makes no public key.
        package init?(expanded bytes: RawSpan) {
            guard bytes.byteCount == 64, let expanded = Secret(bytes) else { return nil }
            self.init(expanded)
        }

        private init?(_ expanded: Secret) {
            guard let point = Scalar(expanded.bytes)?.point else { return nil }
            publicKey = PublicKey(point)
            self.expanded = expanded
        }

        /// Signs a message (RFC 8032, 5.1.6); the same message always gets the same signature.
        ///
        /// - Returns: `nil` where the system has no more memory for the nonce.
        package func signature(of message: RawSpan) -> Signature? {
            let prefix = expanded.bytes.extracting(last: 32)
            guard let nonce = Scalar(hashing: prefix, message), let point = nonce.point else { return nil }
            let (start, key) = (point.bytes, publicKey.bytes)
            guard let challenge = Scalar(hashing: start.span.bytes, key.span.bytes, message),
                let scalar = Scalar(expanded.bytes),
                let sum = nonce.adding(challenge, times: scalar)?.published
            else { return nil }
            return Signature(point: point, scalar: sum)
        }
    }
}
