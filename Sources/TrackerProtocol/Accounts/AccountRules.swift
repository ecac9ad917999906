/// What names and passwords may be.
package enum AccountRules {
    /// 3 to 64 characters of `A-Z a-z 0-9 _ . -`: they stand in URLs, tables and logs as they are.
    package static let nameByteCount = 3...64

    /// Eight bytes at least, as NIST SP 800-63B asks for; more than 1024 is no password, and hashing takes longer with
    /// every byte.
    package static let passwordByteCount = 8...1024

    /// How many passkeys an account has: one for each machine and program of a person.
    package static let mostPasskeys = 16

    /// A passkey stands in `.torrent` files, which are kept for long.
    package static let passkeyLifetime: Duration = .seconds(365 * 86400)

    package static func isName(_ name: String) -> Bool {
        nameByteCount.contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    package static func isPassword(_ password: String) -> Bool { passwordByteCount.contains(password.utf8.count) }

    /// 1 to 255 bytes without `/` and control characters, and neither `.` nor `..`: a name becomes a file's name.
    package static func isFileName(_ name: String) -> Bool {
        (1...255).contains(name.utf8.count) && name != "." && name != ".."
            && name.unicodeScalars.allSatisfy { $0 != "/" && $0.properties.generalCategory != .control }
    }
}
