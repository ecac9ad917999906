package import Cryptography
import Primitives

/// Who we are in sessions: a key that lives in memory only, and our identity's certificate for it.
///
/// The identity's own key signs and does nothing else; no key is used with two algorithms.
package struct SessionIdentity: Sendable {
    /// A certificate outlives its key's use by days, so that slow clocks take it too.
    static let certifiedSeconds: Int64 = 7 * 24 * 60 * 60
    private static let renewalSeconds: Int64 = 24 * 60 * 60

    package let key: Ed25519.PublicKey
    package let certificate: Certificate
    /// Unix seconds from which on new sessions should have a new one.
    private let renewAt: Int64
    let staticKey: X25519.PrivateKey

    /// - Parameters:
    ///   - key: of the node.
    ///   - unixSeconds: what the calendar says now.
    ///   - staticKey: a new one, except in tests.
    /// - Returns: `nil` where the system has no memory for secrets, or the clock is before 1970 or at its end.
    package init?(
        _ key: Ed25519.SigningKey,
        at unixSeconds: Int64,
        staticKey: X25519.PrivateKey? = .random()
    ) {
        let (end, overflow) = unixSeconds.addingReportingOverflow(SessionIdentity.certifiedSeconds)
        guard let staticKey, unixSeconds >= 0, !overflow else { return nil }
        let certificate = Certificate(
            of: staticKey.publicKey,
            notBefore: UInt64(unixSeconds),
            notAfter: UInt64(end),
            by: key
        )
        guard let certificate else { return nil }
        self.key = key.publicKey
        self.certificate = certificate
        self.staticKey = staticKey
        renewAt = unixSeconds + SessionIdentity.renewalSeconds
    }

    /// Whether new sessions should go by it: it is not a day old, and not from a future that the clock was set back from.
    package func isCurrent(at unixSeconds: Int64) -> Bool {
        (renewAt - SessionIdentity.renewalSeconds..<renewAt).contains(unixSeconds)
    }
}
