package import JSON
package import Primitives

/// A file of the catalogue, as `/api/v1/files` tells of it.
package struct CatalogueEntry: Hashable, Sendable {
    package var name: String
    package var infoHash: InfoHash
    /// Bytes of content.
    package var size: Int64
    package var pieceLength: Int64
    package var pieces: Int64
    /// An account's name, or the address of who registered it where the tracker has no accounts.
    package var owner: String
    /// Seconds since 1970.
    package var created: Int64
    package var seeders = 0
    package var leechers = 0
    /// How often it was downloaded to the end.
    package var downloaded = 0

    package init(
        name: String,
        infoHash: InfoHash,
        size: Int64,
        pieceLength: Int64,
        pieces: Int64,
        owner: String,
        created: Int64
    ) {
        self.name = name
        self.infoHash = infoHash
        self.size = size
        self.pieceLength = pieceLength
        self.pieces = pieces
        self.owner = owner
        self.created = created
    }

    package init?(_ json: JSONValue) {
        guard let name = json["name"]?.string, let infoHash = json["info_hash"]?.string.flatMap({ InfoHash(hex: $0) }),
            let size = json["size"]?.integer, let pieceLength = json["piece_length"]?.integer,
            let pieces = json["pieces"]?.integer, size >= 0, pieceLength > 0, pieces >= 0
        else { return nil }
        self.init(
            name: name,
            infoHash: infoHash,
            size: size,
            pieceLength: pieceLength,
            pieces: pieces,
            owner: json["owner"]?.string ?? "",
            created: json["created"]?.integer ?? 0
        )
        seeders = Int(clamping: json["seeders"]?.integer ?? 0)
        leechers = Int(clamping: json["leechers"]?.integer ?? 0)
        downloaded = Int(clamping: json["downloaded"]?.integer ?? 0)
    }

    package var json: JSONMembers {
        [
            "name": .string(name), "info_hash": .string(infoHash.hex), "size": .integer(size),
            "piece_length": .integer(pieceLength), "pieces": .integer(pieces), "owner": .string(owner),
            "created": .integer(created), "seeders": .integer(Int64(seeders)), "leechers": .integer(Int64(leechers)),
            "downloaded": .integer(Int64(downloaded)),
        ]
    }
}
