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
            guard let publicKey = unsafe scalar.read({ unsafe X25519.publicKey(of: $0) }) else { return nil }
            self.publicKey = publicKey
            self.scalar = scalar
        }

        /// Writes what both parties compute, each from its own private and the other's public key: input for a key
        /// derivation, and no key itself.
        ///
        /// - Parameters:
        ///   - memory: gets it, 32 bytes.
        ///   - offset: where in the memory.
        /// - Returns: `false` where the secret would be all zeros, which is so for the few points of small order: whoever
        ///   sends one wants a secret that everybody knows (RFC 7748, section 6.1; hardening N25).
        package func agree(with other: PublicKey, into memory: inout ChangingSecret, at offset: Int) -> Bool {
            unsafe scalar.read { unsafe X25519.agree($0, with: other, into: &memory, at: offset) }
        }

        /// Copies the key into memory that other keys are in.
        ///
        /// - Parameter offset: where its 32 bytes go.
        package func copy(to memory: inout ChangingSecret, at offset: Int) { memory.copy(scalar.bytes, at: offset) }
    }

    // MARK: Keys for one handshake, in memory that other keys are in

    /// Makes a new private key in `memory`: a `PrivateKey` of its own takes as long as an agreement, for its locked
    /// page.
    ///
    /// - Parameter offset: where its 32 bytes go.
    /// - Returns: its public key, which there is for every private one.
    package static func generate(in memory: inout ChangingSecret, at offset: Int) -> PublicKey? {
        // Safe: libsodium writes the 32 bytes that lie there.
        unsafe memory.write(32, at: offset) { scalar in
            unsafe randombytes_buf(scalar, 32)
            return unsafe publicKey(of: scalar)
        }
    }

    /// As `PrivateKey.agree`, with a private key in the same memory.
    ///
    /// - Parameter key: where that lies.
    package static func agree(
        keyAt key: Int,
        with other: PublicKey,
        into memory: inout ChangingSecret,
        at offset: Int
    ) -> Bool {
        precondition(key >= offset + 32 || offset >= key + 32, "a key would be written over")
        // Safe: the key lies in the memory, and where it lies nothing is written, as checked on the line above.
        let scalar = unsafe memory.read(32, at: key) { unsafe $0 }
        return unsafe agree(scalar, with: other, into: &memory, at: offset)
    }

    private static func agree(
        _ scalar: UnsafePointer<UInt8>,
        with other: PublicKey,
        into memory: inout ChangingSecret,
        at offset: Int
    ) -> Bool {
        let point = other.bytes
        // Safe: libsodium reads 32 bytes twice and writes 32.
        return unsafe memory.write(32, at: offset) { output in
            PassingSecret.wipingStack { unsafe crypto_scalarmult(output, scalar, point) == 0 }
        }
    }

    /// The base point times 32 bytes.
    private static func publicKey(of scalar: UnsafePointer<UInt8>) -> PublicKey? {
        var point = [UInt8](repeating: 0, count: 32)
        // Safe: libsodium reads 32 bytes and writes 32.
        let isMade = PassingSecret.wipingStack { unsafe crypto_scalarmult_base(&point, scalar) == 0 }
        return isMade ? PublicKey(point.span.bytes) : nil
    }
}
