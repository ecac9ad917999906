package import JSON
package import Primitives

/// Who holds which pieces of a torrent, as `/pieces` tells.
package struct PieceHolderList: Hashable, Sendable {
    package var pieces: Int
    /// One list for each piece.
    package var holders: [[Endpoint]]

    package init(pieces: Int, holders: [[Endpoint]]) {
        self.pieces = pieces
        self.holders = holders
    }

    package init?(_ json: JSONValue) {
        guard let pieces = json["pieces"]?.integer, 0...(1 << 21) ~= pieces, let lists = json["holders"]?.array,
            lists.count <= pieces
        else { return nil }
        self.init(
            pieces: Int(pieces),
            holders: lists.map { ($0.array ?? []).compactMap { $0.string.flatMap { Endpoint($0) } } }
        )
    }

    package var json: JSONValue {
        [
            "pieces": .integer(Int64(pieces)),
            "holders": .array(holders.map { .array($0.map { .string("\($0)") }) }),
        ]
    }
}
