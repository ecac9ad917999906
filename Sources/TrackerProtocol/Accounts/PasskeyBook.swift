import Cryptography
package import Primitives

/// The passkeys that announces are let in by, known by their SHA-256; held in memory, so that no announce asks a database.
package struct PasskeyBook: Sendable {
    /// One row as the database has it.
    package struct Entry: Hashable, Sendable {
        package var hash: UInt256
        package var account: String
        /// Seconds since 1970.
        package var expires: Int64
        package var isRevoked: Bool

        package init(hash: UInt256, account: String, expires: Int64, isRevoked: Bool) {
            self.hash = hash
            self.account = account
            self.expires = expires
            self.isRevoked = isRevoked
        }
    }

    private struct Holder {
        let account: String
        let expires: Int64
    }

    /// 40 hexadecimal digits, which are 20 random bytes.
    package static let digitCount = 40

    /// 16 of each of 100 000 accounts would be more than anybody has; an entry takes some 100 bytes.
    private static let mostEntries = 1_000_000

    private var holders: [UInt256: Holder] = [:]

    package init() {}

    package var count: Int { holders.count }

    /// Takes over changes in the order in which they were made.
    package mutating func apply(_ entries: [Entry]) {
        for entry in entries {
            if entry.isRevoked {
                holders[entry.hash] = nil
            } else if holders.count < PasskeyBook.mostEntries || holders[entry.hash] != nil {
                holders[entry.hash] = Holder(account: entry.account, expires: entry.expires)
            }
        }
    }

    /// Whose passkey it is; `nil` for one that is unknown, revoked or expired.
    ///
    /// Looking a hash up tells nothing by its time: nobody can choose what a passkey hashes to.
    ///
    /// - Parameters:
    ///   - passkey: the digits, as they stand in a path.
    ///   - now: seconds since 1970.
    package func account(of passkey: RawSpan, at now: Int64) -> String? {
        guard let hash = PasskeyBook.hash(of: passkey), let holder = holders[hash], now < holder.expires else {
            return nil
        }
        return holder.account
    }

    /// What the database has in place of a passkey; `nil` for what is no 40 hexadecimal digits.
    package static func hash(of passkey: RawSpan) -> UInt256? {
        guard passkey.byteCount == digitCount else { return nil }
        var key = ByteWriter(capacity: digitCount / 2)
        for index in 0..<digitCount / 2 {
            guard let high = passkey.byte(at: index * 2).flatMap(Hex.value),
                let low = passkey.byte(at: index * 2 + 1).flatMap(Hex.value)
            else { return nil }
            key.byte(high << 4 | low)
        }
        return SHA256.hash(key.bytes.span.bytes)
    }

    /// A new passkey from random bytes of the operating system.
    ///
    /// - Returns: the digits, which are told once, and their hash, which is kept; `nil` where there is no memory.
    package static func make() -> (passkey: String, hash: UInt256)? {
        guard let random = Secret.random(byteCount: digitCount / 2) else { return nil }
        let bytes = (0..<digitCount / 2).map { random.bytes.byte(at: $0) ?? 0 }
        return (Hex.encode(bytes), SHA256.hash(random.bytes))
    }
}
