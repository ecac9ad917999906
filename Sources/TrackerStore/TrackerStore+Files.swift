package import Primitives
import SQLite

/// What a catalogue may hold.
package struct CatalogueLimits: Hashable, Sendable {
    /// Files of one owner: a person who shares folders of folders has hundreds.
    package var filesPerOwner = 1000
    /// Bytes of .torrent files of one owner. Most have 20 to 100 KiB; one may have 10 MiB (hardening F9).
    package var bytesPerOwner: Int64 = 128 << 20
    /// Files in all; a list of them is read in pages.
    package var files = 100_000
    /// Bytes of .torrent files in all: what the database may grow to by strangers' doing.
    package var bytes: Int64 = 8 << 30

    package init() {}
}

/// What became of a file that was to be stored.
package enum FilePlacement: Hashable, Sendable {
    case added
    /// There was one of the same owner, or the one that the caller allowed to be replaced.
    case replaced
    /// Somebody else holds the name.
    case taken(CatalogueFile)
    /// The owner has as many files, or bytes of torrents, as one may.
    case ownerIsFull
    case catalogueIsFull
}

extension TrackerStore {
    private static let columns = "name, info_hash, size, piece_length, pieces, owner, created"

    /// Registers a file by its name.
    ///
    /// - Parameters:
    ///   - torrent: the bytes of its .torrent file.
    ///   - abandoned: what may be replaced although it is another's; `nil` for nothing.
    package func placeFile(
        _ file: CatalogueFile,
        torrent: [UInt8],
        replacing abandoned: InfoHash?,
        limits: CatalogueLimits
    ) throws(StoreFault) -> FilePlacement {
        try write { connection throws(StoreFault) in
            let previous = try TrackerStore.files(where: "name = $1", [.text(file.name)], connection).first
            if let previous, previous.owner != file.owner, previous.infoHash != abandoned { return .taken(previous) }
            if let full = try TrackerStore.fullness(for: file, torrent: torrent, limits, connection) { return full }
            try connection.run(
                """
                INSERT INTO shoal_files (name, info_hash, size, piece_length, pieces, owner, created, torrent_size)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO UPDATE SET
                    info_hash = excluded.info_hash, size = excluded.size, piece_length = excluded.piece_length,
                    pieces = excluded.pieces, owner = excluded.owner, created = excluded.created,
                    torrent_size = excluded.torrent_size
                """,
                [
                    .text(file.name), .blob(file.infoHash.bytes), .integer(file.size), .integer(file.pieceLength),
                    .integer(file.pieces), .text(file.owner.text), .integer(file.created),
                    .integer(Int64(torrent.count)),
                ]
            )
            try connection.run(
                """
                INSERT INTO shoal_torrents (name, torrent) VALUES ($1, $2)
                ON CONFLICT (name) DO UPDATE SET torrent = excluded.torrent
                """,
                [.text(file.name), .blob(torrent)]
            )
            return previous == nil ? .added : .replaced
        }
    }

    package func file(named name: String) throws(StoreFault) -> CatalogueFile? {
        try read { connection throws(StoreFault) in
            try TrackerStore.files(where: "name = $1", [.text(name)], connection).first
        }
    }

    /// The bytes of the .torrent file that was registered by a name.
    package func torrent(named name: String) throws(StoreFault) -> [UInt8]? {
        try read { connection throws(StoreFault) in
            var torrent: [UInt8]?
            try connection.run("SELECT torrent FROM shoal_torrents WHERE name = $1", [.text(name)]) {
                torrent = $0.blob(0)
            }
            return torrent
        }
    }

    /// Files in the order of their names' bytes.
    ///
    /// - Parameter after: where the last page ended; none for the first.
    package func files(after: String = "", limit: Int) throws(StoreFault) -> [CatalogueFile] {
        try read { connection throws(StoreFault) in
            try TrackerStore.files(
                where: "name > $1 ORDER BY name LIMIT $2",
                [.text(after), .integer(Int64(limit))],
                connection
            )
        }
    }

    package func fileCount() throws(StoreFault) -> Int {
        try read { connection throws(StoreFault) in
            Int(try TrackerStore.sums(where: "$1 = $1", [.integer(0)], connection).count)
        }
    }

    /// - Parameter owner: whose it must be; `nil` for anybody's, as an administrator may.
    /// - Returns: `false` where there is no such file of that owner.
    package func removeFile(named name: String, of owner: FileOwner?) throws(StoreFault) -> Bool {
        try write { connection throws(StoreFault) in
            var isFound = false
            let clause = owner == nil ? "" : " AND owner = $2"
            try connection.run(
                "DELETE FROM shoal_files WHERE name = $1\(clause) RETURNING name",
                [.text(name)] + (owner.map { [.text($0.text)] } ?? [])
            ) { _ in isFound = true }
            if isFound { try connection.run("DELETE FROM shoal_torrents WHERE name = $1", [.text(name)]) }
            return isFound
        }
    }

    /// Whether a limit forbids it; what it replaces counts as gone.
    private static func fullness(
        for file: CatalogueFile,
        torrent: [UInt8],
        _ limits: CatalogueLimits,
        _ connection: any StoreConnection
    ) throws(StoreFault) -> FilePlacement? {
        let size = Int64(torrent.count)
        let name = DatabaseValue.text(file.name)
        let own = try sums(where: "name <> $1 AND owner = $2", [name, .text(file.owner.text)], connection)
        if own.count >= limits.filesPerOwner || own.bytes + size > limits.bytesPerOwner { return .ownerIsFull }
        let all = try sums(where: "name <> $1", [name], connection)
        return all.count >= limits.files || all.bytes + size > limits.bytes ? .catalogueIsFull : nil
    }

    private static func sums(
        where clause: String,
        _ values: [DatabaseValue],
        _ connection: any StoreConnection
    ) throws(StoreFault) -> (count: Int64, bytes: Int64) {
        var sums: (count: Int64, bytes: Int64) = (0, 0)
        try connection.run(
            "SELECT count(*), CAST(COALESCE(sum(torrent_size), 0) AS BIGINT) FROM shoal_files WHERE \(clause)",
            values
        ) { sums = ($0.integer(0), $0.integer(1)) }
        return sums
    }

    private static func files(
        where clause: String,
        _ values: [DatabaseValue],
        _ connection: any StoreConnection
    ) throws(StoreFault) -> [CatalogueFile] {
        var files: [CatalogueFile] = []
        try connection.run("SELECT \(columns) FROM shoal_files WHERE \(clause)", values) { row in
            guard let infoHash = InfoHash(row.blob(1)) else { return }
            files.append(
                CatalogueFile(
                    name: row.text(0),
                    infoHash: infoHash,
                    size: row.integer(2),
                    pieceLength: row.integer(3),
                    pieces: row.integer(4),
                    owner: FileOwner(text: row.text(5)),
                    created: row.integer(6)
                )
            )
        }
        return files
    }
}
