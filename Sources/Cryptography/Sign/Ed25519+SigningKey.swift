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
            // Safe: libsodium reads the scalar, the first 32 of 64 bytes.
            let point = unsafe PassingSecret.lend(byteCount: 32) { scalar in
                unsafe expanded.read { unsafe scalar.update(from: $0, count: 32) }
                return unsafe SigningKey.point(scalar)
            }
            guard let point, let publicKey = PublicKey(point.span.bytes) else { return nil }
            self.publicKey = publicKey
            self.expanded = expanded
        }

        /// Signs a message (RFC 8032, 5.1.6); the same message always gets the same signature.
        ///
        /// - Returns: `nil` for a nonce of zero, which has not been met yet.
        package func signature(of message: RawSpan) -> Signature? {
            // Safe: libsodium reads and writes 32 bytes of a scalar and 64 of a digest, which the room and the key have.
            let bytes = unsafe PassingSecret.lend(byteCount: 160) { room -> [UInt8]? in
                let (digest, nonce, challenge) = unsafe (room, room + 64, room + 96)
                let product = unsafe room + 128
                return unsafe expanded.read { scalar -> [UInt8]? in
                    unsafe SigningKey.hash([], expanded.bytes.extracting(last: 32), message, into: digest)
                    unsafe crypto_core_ed25519_scalar_reduce(nonce, digest)
                    guard let start = unsafe SigningKey.point(nonce) else { return nil }
                    unsafe SigningKey.hash(start, publicKey.bytes.span.bytes, message, into: digest)
                    unsafe crypto_core_ed25519_scalar_reduce(challenge, digest)
                    unsafe crypto_core_ed25519_scalar_mul(product, challenge, scalar)
                    var sum = [UInt8](repeating: 0, count: 32)
                    unsafe crypto_core_ed25519_scalar_add(&sum, nonce, product)
                    return start + sum
                }
            }
            return bytes.flatMap { Signature($0.span.bytes) }
        }

        /// A scalar times the group's base point, not clamped; `nil` for a multiple of the order.
        private static func point(_ scalar: UnsafePointer<UInt8>) -> [UInt8]? {
            var point = [UInt8](repeating: 0, count: 32)
            // Safe: libsodium reads 32 bytes and writes 32.
            return unsafe crypto_scalarmult_ed25519_base_noclamp(&point, scalar) == 0 ? point : nil
        }

        /// SHA-512 of the parts one after the other: 64 bytes. libsodium wipes its state itself.
        private static func hash(
            _ first: [UInt8],
            _ second: RawSpan,
            _ third: RawSpan,
            into digest: UnsafeMutablePointer<UInt8>
        ) {
            var state = crypto_hash_sha512_state()
            unsafe crypto_hash_sha512_init(&state)
            add(first.span.bytes, to: &state)
            add(second, to: &state)
            add(third, to: &state)
            // Safe: the caller has room for 64 bytes.
            unsafe crypto_hash_sha512_final(&state, digest)
        }

        private static func add(_ bytes: RawSpan, to state: inout crypto_hash_sha512_state) {
            // Safe: libsodium reads the span's own bytes and keeps no pointer.
            unsafe bytes.withUnsafeBytes {
                let input = unsafe $0.bindMemory(to: UInt8.self)
                _ = unsafe crypto_hash_sha512_update(&state, input.baseAddress, UInt64(input.count))
            }
        }
    }
}
