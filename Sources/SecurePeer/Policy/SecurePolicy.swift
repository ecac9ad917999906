package import Cryptography

/// Who is talked to in the clear (secure-peer.md, §3).
package enum SecurePolicy: String, Hashable, Sendable {
    /// SPS/1 with whoever is known to speak it, plain with all others.
    case prefer
    /// SPS/1 only: plain peers are neither dialled nor served.
    case require
    /// Plain only, for measurements.
    case off
}

/// How an endpoint is to be dialled.
package enum DialPlan: Hashable, Sendable {
    case plain
    /// With SPS/1.
    ///
    /// - `expecting`: the key that has to come back; `nil` takes any.
    /// - `mayFallBack`: whether it may be dialled plain when it turns out not to speak SPS/1. Where it may not, that is a
    ///   downgrade, refused and reported.
    case secure(expecting: Ed25519.PublicKey?, mayFallBack: Bool)
}
