package import JSON
import TrackerProtocol

/// What somebody sends to register or to log in.
package struct Credentials: Sendable {
    package var user: String
    package var password: String

    package init(user: String, password: String) {
        self.user = user
        self.password = password
    }

    package init?(_ json: JSONValue) {
        guard let user = json["user"]?.string, let password = json["password"]?.string else { return nil }
        self.init(user: user, password: password)
    }

    package var json: JSONValue { ["user": .string(user), "password": .string(password)] }
}

extension Credentials: CustomStringConvertible, CustomDebugStringConvertible {
    // Whatever prints this prints no password (R13).
    package var description: String { "credentials of \(user)" }
    package var debugDescription: String { description }
}

/// What a tracker gives who logged in: `/announce/PASSKEY` is theirs until it expires.
package struct PasskeyGrant: Hashable, Sendable {
    package var user: String
    /// 40 hexadecimal digits.
    package var passkey: String
    /// Seconds since 1970.
    package var expires: Int64

    package init(user: String, passkey: String, expires: Int64) {
        self.user = user
        self.passkey = passkey
        self.expires = expires
    }

    package init?(_ json: JSONValue, user: String) {
        guard let passkey = json["passkey"]?.string, TrackerURL.isPasskey(passkey),
            let expires = json["expires"]?.integer
        else { return nil }
        self.init(user: json["user"]?.string ?? user, passkey: passkey, expires: expires)
    }

    package var json: JSONMembers {
        ["user": .string(user), "passkey": .string(passkey), "expires": .integer(expires)]
    }
}

extension PasskeyGrant: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String { "passkey of \(user)" }
    package var debugDescription: String { description }
}

/// An account, as `/api/v1/users` tells administrators.
package struct UserEntry: Hashable, Sendable {
    package var user: String
    package var isAdmin: Bool
    /// Seconds since 1970.
    package var created: Int64

    package init(user: String, isAdmin: Bool, created: Int64) {
        self.user = user
        self.isAdmin = isAdmin
        self.created = created
    }

    package init?(_ json: JSONValue) {
        guard let user = json["user"]?.string else { return nil }
        self.init(user: user, isAdmin: json["admin"]?.bool ?? false, created: json["created"]?.integer ?? 0)
    }

    package var json: JSONMembers {
        ["user": .string(user), "admin": .bool(isAdmin), "created": .integer(created)]
    }
}
