import Cryptography
package import Primitives

extension Passkeys {
    /// A new passkey: 20 random bytes of the operating system.
    ///
    /// - Returns: 40 digits, which are told once, and what is kept of them; `nil` where there is no memory.
    package static func make() -> (passkey: String, digest: UInt256)? {
        guard let random = Secret.random(byteCount: UInt160.byteCount) else { return nil }
        let bytes = (0..<UInt160.byteCount).map { random.bytes.byte(at: $0) ?? 0 }
        return (Hex.encode(bytes), SHA256.hash(random.bytes))
    }
}
