/// Somebody who may use the tracker.
package struct Account: Hashable, Sendable {
    package var name: String
    /// As `crypto_pwhash_str` writes it: argon2id, its cost and salt (hardening R3).
    package var password: String
    package var isAdmin: Bool
    /// Seconds since 1970.
    package var created: Int64

    package init(name: String, password: String, isAdmin: Bool, created: Int64) {
        self.name = name
        self.password = password
        self.isAdmin = isAdmin
        self.created = created
    }
}

extension Account: CustomStringConvertible, CustomDebugStringConvertible {
    // A hash that stands in a log can be tried at home.
    package var description: String { "account \(name)" }
    package var debugDescription: String { description }
}
