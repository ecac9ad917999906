package import Primitives

/// A file that somebody registered by name.
package struct CatalogueFile: Hashable, Sendable {
    package var name: String
    package var infoHash: InfoHash
    /// Bytes of content.
    package var size: Int64
    package var pieceLength: Int64
    package var pieces: Int64
    package var owner: FileOwner
    /// Seconds since 1970.
    package var created: Int64

    package init(
        name: String,
        infoHash: InfoHash,
        size: Int64,
        pieceLength: Int64,
        pieces: Int64,
        owner: FileOwner,
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
}

/// Who may replace or remove a file.
package enum FileOwner: Hashable, Sendable {
    case account(String)
    /// Of a tracker without accounts: the host that registered it.
    case address(String)

    /// As the database has it; no account name contains a colon.
    var text: String {
        switch self {
        case .account(let name): "account:" + name
        case .address(let address): "address:" + address
        }
    }

    init(text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        self = parts.first == "account" ? .account(parts.last ?? "") : .address(parts.last ?? "")
    }
}

extension FileOwner: CustomStringConvertible {
    package var description: String {
        switch self {
        case .account(let name): name
        case .address(let address): address
        }
    }
}
