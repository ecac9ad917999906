package import Primitives

/// One passkey, known by its SHA-256: whoever reads the database cannot announce with what is in it.
package struct PasskeyRecord: Hashable, Sendable {
    package var hash: UInt256
    /// The name of its account.
    package var account: String
    /// Seconds since 1970.
    package var expires: Int64
    /// The account is gone, has a new password, or has logged out.
    package var isRevoked: Bool

    /// Seconds for which a revoked passkey stays in the database, so that other nodes hear of it. A node that heard
    /// nothing for so long reads all passkeys anew.
    package static let secondsAfterRevocation: Int64 = 600

    package init(hash: UInt256, account: String, expires: Int64, isRevoked: Bool = false) {
        self.hash = hash
        self.account = account
        self.expires = expires
        self.isRevoked = isRevoked
    }
}
