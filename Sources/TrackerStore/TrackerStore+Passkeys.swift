package import Primitives
import SQLite

extension TrackerStore {
    /// Adds a passkey; the oldest of the account's others are revoked where it has too many.
    ///
    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - most: how many an account may have.
    /// - Returns: `false` where there is no such account: it was removed while its password was looked at.
    package func addPasskey(_ passkey: PasskeyRecord, now: Int64, most: Int) throws(StoreFault) -> Bool {
        try write { connection throws(StoreFault) in
            var isThere = false
            try connection.run("SELECT name FROM shoal_accounts WHERE name = $1", [.text(passkey.account)]) { _ in
                isThere = true
            }
            guard isThere else { return false }
            let change = try TrackerStore.nextChange(.passkeys, connection)
            // With the new one there are `most`.
            _ = try TrackerStore.revoke(
                """
                hash IN (SELECT hash FROM shoal_passkeys WHERE account = $3 AND is_revoked = 0
                ORDER BY created DESC, change DESC LIMIT 1000000 OFFSET $4)
                """,
                [.text(passkey.account), .integer(Int64(max(0, most - 1)))],
                change: change,
                now: now,
                connection
            )
            try connection.run(
                """
                INSERT INTO shoal_passkeys (hash, account, created, expires, is_revoked, change)
                VALUES ($1, $2, $3, $4, 0, $5)
                """,
                [
                    .blob(passkey.hash.bytes), .text(passkey.account), .integer(now), .integer(passkey.expires),
                    .integer(change),
                ]
            )
            return true
        }
    }

    /// - Parameter now: seconds since 1970.
    /// - Returns: `false` where it was not valid anyway.
    package func revokePasskey(_ hash: UInt256, now: Int64) throws(StoreFault) -> Bool {
        try write { connection throws(StoreFault) in
            let change = try TrackerStore.nextChange(.passkeys, connection)
            return try TrackerStore.revoke("hash = $3", [.blob(hash.bytes)], change: change, now: now, connection) > 0
        }
    }

    /// What changed since the last look, in the order of the changes.
    ///
    /// - Parameters:
    ///   - change: what the last look returned; -1 at first, for all of them.
    ///   - limit: rows at most. A change may have more rows than that: they come as a whole, so somewhat more are possible.
    /// - Returns: the passkeys, and what to say next time.
    package func passkeys(
        after change: Int64,
        limit: Int
    ) throws(StoreFault) -> (passkeys: [PasskeyRecord], change: Int64) {
        try read { connection throws(StoreFault) in
            var passkeys: [PasskeyRecord] = []
            var last = change
            // Up to the change of the row at the limit, so that no change is cut in two.
            try connection.run(
                """
                SELECT hash, account, expires, is_revoked, change FROM shoal_passkeys WHERE change > $1 AND change <=
                    COALESCE((SELECT change FROM shoal_passkeys WHERE change > $1 ORDER BY change LIMIT 1 OFFSET $2),
                        (SELECT number FROM shoal_changes WHERE kind = 'passkeys'))
                ORDER BY change
                """,
                [.integer(change), .integer(Int64(limit))]
            ) { row in
                guard let hash = UInt256(row.blob(0).span.bytes) else { return }
                passkeys.append(
                    PasskeyRecord(
                        hash: hash,
                        account: row.text(1),
                        expires: row.integer(2),
                        isRevoked: row.integer(3) != 0
                    )
                )
                last = max(last, row.integer(4))
            }
            return (passkeys, last)
        }
    }

    /// Forgets passkeys that expired, and those whose revocation every node has heard of.
    ///
    /// - Parameter now: seconds since 1970.
    package func forgetPasskeys(now: Int64) throws(StoreFault) {
        try write { connection throws(StoreFault) in
            try connection.run("DELETE FROM shoal_passkeys WHERE expires < $1", [.integer(now)])
        }
    }

    static func revokePasskeys(of account: String, now: Int64, _ connection: any StoreConnection) throws(StoreFault) {
        let change = try nextChange(.passkeys, connection)
        _ = try revoke("account = $3", [.text(account)], change: change, now: now, connection)
    }

    /// Revokes the passkeys of a clause, whose parameters begin with `$3`.
    ///
    /// - Returns: how many there were.
    private static func revoke(
        _ clause: String,
        _ values: [DatabaseValue],
        change: Int64,
        now: Int64,
        _ connection: any StoreConnection
    ) throws(StoreFault) -> Int {
        var count = 0
        try connection.run(
            """
            UPDATE shoal_passkeys SET is_revoked = 1, change = $1,
                expires = CASE WHEN expires > $2 THEN $2 ELSE expires END
            WHERE is_revoked = 0 AND \(clause) RETURNING hash
            """,
            [.integer(change), .integer(now + PasskeyRecord.secondsAfterRevocation)] + values
        ) { _ in count += 1 }
        return count
    }

    /// Raises the number of a kind, and holds its row until the transaction's end.
    static func nextChange(_ kind: StoreChange, _ connection: any StoreConnection) throws(StoreFault) -> Int64 {
        var number: Int64 = 0
        try connection.run(
            "UPDATE shoal_changes SET number = number + 1 WHERE kind = $1 RETURNING number",
            [.text(kind.rawValue)]
        ) { number = $0.integer(0) }
        return number
    }
}
