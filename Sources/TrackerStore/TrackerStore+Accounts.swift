import SQLite

extension TrackerStore {
    /// - Returns: `false` where the name is taken.
    package func addAccount(_ account: Account) throws(StoreFault) -> Bool {
        try write { connection throws(StoreFault) in
            var isAdded = false
            try connection.run(
                """
                INSERT INTO shoal_accounts (name, password, is_admin, created) VALUES ($1, $2, $3, $4)
                ON CONFLICT (name) DO NOTHING RETURNING name
                """,
                [
                    .text(account.name), .text(account.password), .integer(account.isAdmin ? 1 : 0),
                    .integer(account.created),
                ]
            ) { _ in isAdded = true }
            return isAdded
        }
    }

    package func account(named name: String) throws(StoreFault) -> Account? {
        try accounts(where: "name = $1", [.text(name)]).first
    }

    /// Accounts in the order of their names' bytes.
    ///
    /// - Parameter after: where the last page ended; none for the first.
    package func accounts(after: String = "", limit: Int) throws(StoreFault) -> [Account] {
        try accounts(where: "name > $1 ORDER BY name LIMIT $2", [.text(after), .integer(Int64(limit))])
    }

    package func accountCount() throws(StoreFault) -> Int {
        try read { connection throws(StoreFault) in
            var count = 0
            try connection.run("SELECT count(*) FROM shoal_accounts", []) { count = Int($0.integer(0)) }
            return count
        }
    }

    /// Removes the account and revokes its passkeys; files that it registered stay.
    ///
    /// - Parameter now: seconds since 1970.
    /// - Returns: `false` where there is none of that name.
    package func removeAccount(named name: String, now: Int64) throws(StoreFault) -> Bool {
        try changeAccount(
            "DELETE FROM shoal_accounts WHERE name = $1 RETURNING name",
            [.text(name)],
            revoking: name,
            now: now
        )
    }

    /// Sets a new password and revokes all passkeys: who has a stolen one is locked out.
    ///
    /// - Parameters:
    ///   - password: as `Account.password`.
    ///   - now: seconds since 1970.
    /// - Returns: `false` where there is none of that name.
    package func setPassword(_ password: String, of name: String, now: Int64) throws(StoreFault) -> Bool {
        try changeAccount(
            "UPDATE shoal_accounts SET password = $1 WHERE name = $2 RETURNING name",
            [.text(password), .text(name)],
            revoking: name,
            now: now
        )
    }

    /// Writes the same password at a new cost (hardening R3), unless it was changed meanwhile.
    package func renewHash(of name: String, from old: String, to new: String) throws(StoreFault) {
        _ = try changeAccount(
            "UPDATE shoal_accounts SET password = $1 WHERE name = $2 AND password = $3 RETURNING name",
            [.text(new), .text(name), .text(old)],
            revoking: nil,
            now: 0
        )
    }

    /// - Returns: `false` where there is none of that name.
    package func setAdmin(_ isAdmin: Bool, of name: String) throws(StoreFault) -> Bool {
        try changeAccount(
            "UPDATE shoal_accounts SET is_admin = $1 WHERE name = $2 RETURNING name",
            [.integer(isAdmin ? 1 : 0), .text(name)],
            revoking: nil,
            now: 0
        )
    }

    private func changeAccount(
        _ statement: String,
        _ values: [DatabaseValue],
        revoking name: String?,
        now: Int64
    ) throws(StoreFault) -> Bool {
        try write { connection throws(StoreFault) in
            var isFound = false
            try connection.run(statement, values) { _ in isFound = true }
            if isFound, let name { try TrackerStore.revokePasskeys(of: name, now: now, connection) }
            return isFound
        }
    }

    private func accounts(where clause: String, _ values: [DatabaseValue]) throws(StoreFault) -> [Account] {
        try read { connection throws(StoreFault) in
            var accounts: [Account] = []
            try connection.run(
                "SELECT name, password, is_admin, created FROM shoal_accounts WHERE \(clause)",
                values
            ) { row in
                accounts.append(
                    Account(
                        name: row.text(0),
                        password: row.text(1),
                        isAdmin: row.integer(2) != 0,
                        created: row.integer(3)
                    )
                )
            }
            return accounts
        }
    }
}
