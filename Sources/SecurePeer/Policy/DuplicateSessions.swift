package import Cryptography
package import Primitives

/// Which of two sessions with the same key for the same swarm stays; both sides come to the same answer by themselves.
package enum DuplicateSessions {
    /// One of them.
    package struct Session: Hashable, Sendable {
        package var wasDialled: Bool
        /// When its handshake was done.
        package var beganAt: Instant

        /// - Parameters:
        ///   - wasDialled: by us.
        ///   - beganAt: when its handshake was done.
        package init(wasDialled: Bool, beganAt: Instant) {
            self.wasDialled = wasDialled
            self.beganAt = beganAt
        }
    }

    /// Two sides that dial each other at once finish both handshakes within this time.
    static let crossing: Duration = .seconds(5)

    /// Whether the newer one stays, and not the older.
    ///
    /// Dialled the same way, the newer one: the older may be dead without a FIN. Dialled by both within five seconds, the
    /// one that the smaller key dialled. Else the older.
    package static func keepsNewer(
        _ newer: Session,
        than older: Session,
        between own: Ed25519.PublicKey,
        and other: Ed25519.PublicKey
    ) -> Bool {
        if newer.wasDialled == older.wasDialled { return true }
        guard newer.beganAt - older.beganAt <= crossing else { return false }
        return newer.wasDialled == own.bytes.lexicographicallyPrecedes(other.bytes)
    }
}
