import CSodium
import Primitives

/// A number modulo the order of Ed25519's group, 32 bytes in locked memory: who learns one nonce has the key.
struct Scalar {
    private let secret: Secret

    /// Takes the first 32 bytes of a secret as they are, least significant first.
    init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= 32, let secret = Secret(bytes.extracting(first: 32)) else { return nil }
        self.secret = secret
    }

    /// SHA-512 of the parts one after the other, reduced (RFC 8032, 5.1.6).
    init?(hashing first: RawSpan, _ second: RawSpan, _ third: RawSpan = RawSpan()) {
        var state = crypto_hash_sha512_state()
        unsafe crypto_hash_sha512_init(&state)
        Scalar.add(first, to: &state)
        Scalar.add(second, to: &state)
        Scalar.add(third, to: &state)
        // Safe: SHA-512 writes 64 bytes, of which libsodium reads 64 and writes 32; it wipes the state itself.
        let digest = unsafe Secret(byteCount: 64, writing: { _ = unsafe crypto_hash_sha512_final(&state, $0) })
        let reduced = digest.flatMap { digest in
            unsafe Secret(
                byteCount: 32,
                writing: { output in
                    unsafe digest.read { unsafe crypto_core_ed25519_scalar_reduce(output, $0) }
                }
            )
        }
        guard let reduced else { return nil }
        secret = reduced
    }

    private init(secret: Secret) { self.secret = secret }

    /// This many times the group's base point, not clamped; `nil` for a multiple of the order.
    var point: UInt256? {
        var point = [UInt8](repeating: 0, count: 32)
        // Safe: libsodium reads 32 bytes and writes 32.
        let isPoint = unsafe secret.read { unsafe crypto_scalarmult_ed25519_base_noclamp(&point, $0) == 0 }
        return isPoint ? UInt256(point.span.bytes) : nil
    }

    /// `self + factor * other`.
    func adding(_ factor: Scalar, times other: Scalar) -> Scalar? {
        guard let product = Scalar.combine(factor, other, unsafe crypto_core_ed25519_scalar_mul) else { return nil }
        return Scalar.combine(self, product, unsafe crypto_core_ed25519_scalar_add)
    }

    /// The number, where it is no secret any more.
    var published: UInt256? { UInt256(secret.bytes) }

    /// Two numbers made into one by libsodium.
    private static func combine(
        _ left: Scalar,
        _ right: Scalar,
        _ operation: (UnsafeMutablePointer<UInt8>, UnsafePointer<UInt8>, UnsafePointer<UInt8>) -> Void
    ) -> Scalar? {
        // Safe: libsodium reads 32 bytes twice and writes 32.
        let result = unsafe Secret(
            byteCount: 32,
            writing: { output in
                unsafe left.secret.read { left in
                    unsafe right.secret.read { right in unsafe operation(output, left, right) }
                }
            }
        )
        return result.map(Scalar.init(secret:))
    }

    private static func add(_ bytes: RawSpan, to state: inout crypto_hash_sha512_state) {
        // Safe: libsodium reads the span's own bytes and keeps no pointer.
        unsafe bytes.withUnsafeBytes {
            let input = unsafe $0.bindMemory(to: UInt8.self)
            _ = unsafe crypto_hash_sha512_update(&state, input.baseAddress, UInt64(input.count))
        }
    }
}
