import SQLite

/// The tables, and how an older database gets them.
///
/// Numbers are BIGINT and bytes BYTEA in both databases: SQLite takes any word for a type. Times are seconds since 1970.
enum Schema {
    static let version: Int64 = 1

    /// Makes what is missing; a database of a later version is left alone.
    static func prepare(_ connection: any StoreConnection) throws(StoreFault) {
        try connection.run(connection.dialect.begin)
        try connection.commit { () throws(StoreFault) in
            if let lock = connection.dialect.lockTables { try connection.run(lock) }
            try connection.run("CREATE TABLE IF NOT EXISTS shoal_schema (version BIGINT NOT NULL)")
            var found: Int64 = 0
            try connection.run("SELECT version FROM shoal_schema", []) { found = max(found, $0.integer(0)) }
            guard found <= version else { throw .newer(place: connection.place, version: found) }
            guard found < version else { return }
            for statement in statements(connection.dialect) { try connection.run(statement) }
            for kind in StoreChange.allCases {
                try connection.run("INSERT INTO shoal_changes (kind, number) VALUES ($1, 0)", [.text(kind.rawValue)])
            }
            try connection.run("DELETE FROM shoal_schema")
            try connection.run("INSERT INTO shoal_schema (version) VALUES ($1)", [.integer(version)])
        }
    }

    private static func statements(_ dialect: StoreDialect) -> [String] {
        let text = dialect.textType
        return [
            "CREATE TABLE shoal_changes (kind \(text) PRIMARY KEY, number BIGINT NOT NULL)",
            """
            CREATE TABLE shoal_accounts (name \(text) PRIMARY KEY, password TEXT NOT NULL, is_admin BIGINT NOT NULL,
                created BIGINT NOT NULL)
            """,
            """
            CREATE TABLE shoal_passkeys (hash BYTEA PRIMARY KEY, account \(text) NOT NULL, created BIGINT NOT NULL,
                expires BIGINT NOT NULL, is_revoked BIGINT NOT NULL, change BIGINT NOT NULL)
            """,
            "CREATE INDEX shoal_passkeys_account ON shoal_passkeys (account)",
            "CREATE INDEX shoal_passkeys_change ON shoal_passkeys (change)",
            // The torrent itself lies beside its row: lists of files do not read it.
            """
            CREATE TABLE shoal_files (name \(text) PRIMARY KEY, info_hash BYTEA NOT NULL, size BIGINT NOT NULL,
                piece_length BIGINT NOT NULL, pieces BIGINT NOT NULL, owner \(text) NOT NULL, created BIGINT NOT NULL,
                torrent_size BIGINT NOT NULL)
            """,
            "CREATE INDEX shoal_files_info_hash ON shoal_files (info_hash)",
            "CREATE INDEX shoal_files_owner ON shoal_files (owner)",
            "CREATE TABLE shoal_torrents (name \(text) PRIMARY KEY, torrent BYTEA NOT NULL)",
            """
            CREATE TABLE shoal_lists (kind \(text) NOT NULL, info_hash BYTEA NOT NULL, PRIMARY KEY (kind, info_hash))
            """,
            """
            CREATE TABLE shoal_downloads (info_hash BYTEA PRIMARY KEY, number BIGINT NOT NULL, updated BIGINT NOT NULL)
            """,
            "CREATE TABLE shoal_nodes (id \(text) PRIMARY KEY, url TEXT NOT NULL, seen BIGINT NOT NULL)",
            """
            CREATE TABLE shoal_swarms (node \(text) NOT NULL, info_hash BYTEA NOT NULL, peers BYTEA NOT NULL,
                saved BIGINT NOT NULL, change BIGINT NOT NULL, PRIMARY KEY (node, info_hash))
            """,
            "CREATE INDEX shoal_swarms_change ON shoal_swarms (change)",
        ]
    }
}

/// What other nodes on the same database have to learn of: each kind has a number that rises with every change.
///
/// Whoever changes something raises the number in the same transaction, whose lock on the number's row orders the
/// changes: a reader that has seen one has seen all before it.
enum StoreChange: String, CaseIterable {
    case passkeys
    case lists
    case swarms
}
