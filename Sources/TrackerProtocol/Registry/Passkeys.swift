import Cryptography
package import Primitives

/// Which accounts the passkeys stand for, in memory, so that no announce asks the database.
///
/// Like the database it knows the SHA-256 of a passkey alone: who reads either cannot announce as somebody else. For 160
/// random bits no slower hash is needed.
package struct Passkeys: Sendable {
    /// Who owns a passkey.
    package struct Owner: Hashable, Sendable {
        /// The account's name.
        package var account: String
        package var expires: Instant

        package init(account: String, expires: Instant) {
            self.account = account
            self.expires = expires
        }
    }

    private var owners: [UInt256: Owner] = [:]

    package init() {}

    package var count: Int { owners.count }

    package mutating func set(_ owner: Owner, for digest: UInt256) { owners[digest] = owner }
    package mutating func remove(_ digest: UInt256) { owners[digest] = nil }
    package mutating func removeAll(of account: String) { owners = owners.filter { $0.value.account != account } }

    /// - Parameter passkey: 40 hexadecimal digits in either case.
    /// - Returns: `nil` for one that is unknown or has expired.
    package func account(of passkey: RawSpan, at now: Instant) -> String? {
        guard let digest = Passkeys.digest(of: passkey), let owner = owners[digest], owner.expires > now else {
            return nil
        }
        return owner.account
    }

    /// What is kept of a passkey: SHA-256 of its 20 bytes; `nil` where it is not 40 hexadecimal digits.
    package static func digest(of passkey: RawSpan) -> UInt256? {
        guard passkey.byteCount == 40 else { return nil }
        var writer = ByteWriter(capacity: UInt160.byteCount)
        for index in 0..<20 {
            guard let high = passkey.byte(at: index * 2).flatMap(Hex.value(of:)),
                let low = passkey.byte(at: index * 2 + 1).flatMap(Hex.value(of:))
            else { return nil }
            writer.byte(high << 4 | low)
        }
        return SHA256.hash(writer.bytes.span.bytes)
    }

    /// The passkey in `/announce/PASSKEY` or `/scrape/PASSKEY`, with or without a query behind it.
    @_lifetime(copy path)
    package static func passkey(in path: RawSpan) -> RawSpan? {
        var end = 0
        while let byte = path.byte(at: end), byte != UInt8(ascii: "?") { end += 1 }
        for prefix in ["/announce/", "/scrape/"] as [StaticString] where path.matches(at: 0, prefix) {
            let start = prefix.utf8CodeUnitCount
            return end > start ? path.extracting(start..<end) : nil
        }
        return nil
    }
}
