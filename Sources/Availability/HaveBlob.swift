package import Primitives

/// Why bytes are no have-blob of a torrent.
package enum HaveBlobFault: Error, Hashable, Sendable {
    case empty
    case tooLong
    case unknownForm
    /// Too few bytes for its form, or too many.
    case wrongLength
    /// A bit or a nibble is set that stands for no piece.
    case spareBitSet
    /// Runs without a gap between them, an empty run, or a gap at the end.
    case malformedRuns
    /// A piece outside of the torrent.
    case outOfRange
    /// A number with more bytes than it needs.
    case overlongNumber
    /// The one value of a nibble that stands for nothing.
    case unusedLevel
    /// A piece is named in a bucket that is said to be empty.
    case contradiction
}

/// Which pieces a peer holds, in at most 640 bytes (secure-peer.md, §2, "have-blob").
///
///     1 all   ·   2 bitfield   ·   3 gap, run, gap, run ... as LEB128   ·   4 how full each part is, and rare pieces by name
///
/// One is always decoded: there is none that says something that cannot be.
package struct HaveBlob: Hashable, Sendable {
    /// What a record has room for (secure-peer.md, §2).
    package static let longest = 640
    /// 256 KiB of bitfield on the wire (hardening F9).
    package static let mostPieces = 1 << 21

    package let bytes: [UInt8]
    package let claims: PieceClaims

    /// Encodes what is held in the shortest exact form that fits, else as a digest.
    ///
    /// - Parameters:
    ///   - pieces: at least one, of at most `mostPieces`; `nil` is returned for others.
    ///   - rarestFirst: pieces that a digest is to name, the most wanted first; those that are not held are passed over.
    package init?(_ pieces: Bitfield, rarestFirst: some Sequence<Int> = []) {
        guard !pieces.isEmpty, pieces.count <= HaveBlob.mostPieces else { return nil }
        if pieces.isFull {
            (bytes, claims) = ([Form.all.rawValue], .all(pieceCount: pieces.count))
            return
        }
        let runs = RunsEncoding(pieces, fitting: HaveBlob.longest)
        if pieces.byteCount < HaveBlob.longest, runs.map({ pieces.byteCount < $0.bytes.count }) ?? true {
            (bytes, claims) = ([Form.bitfield.rawValue] + pieces.bytes, .bitfield(pieces))
        } else if let runs {
            (bytes, claims) = (runs.bytes, .runs(runs.runs))
        } else {
            let encoding = DigestEncoding(pieces, rarestFirst: rarestFirst, fitting: HaveBlob.longest)
            (bytes, claims) = (encoding.bytes, .digest(encoding.digest))
        }
    }

    /// Reads what a stranger says.
    ///
    /// - Parameter pieceCount: of the torrent, 1 to `mostPieces`.
    package init(parsing bytes: RawSpan, pieceCount: Int) throws(HaveBlobFault) {
        guard let first = bytes.byte(at: 0), pieceCount > 0 else { throw .empty }
        guard bytes.byteCount <= HaveBlob.longest else { throw .tooLong }
        guard let form = Form(rawValue: first) else { throw .unknownForm }
        let rest = bytes.extracting(1..<bytes.byteCount)
        switch form {
        case .all:
            guard rest.byteCount == 0 else { throw .wrongLength }
            claims = .all(pieceCount: pieceCount)
        case .bitfield:
            guard rest.byteCount == (pieceCount + 7) / 8 else { throw .wrongLength }
            guard let pieces = Bitfield(rest, count: pieceCount) else { throw .spareBitSet }
            claims = .bitfield(pieces)
        case .runs: claims = .runs(try PieceRuns(parsing: rest, pieceCount: pieceCount))
        case .digest: claims = .digest(try PieceDigest(parsing: rest, pieceCount: pieceCount))
        }
        self.bytes = bytes.copy(0..<bytes.byteCount) ?? []
    }

    enum Form: UInt8 {
        case all = 1
        case bitfield = 2
        case runs = 3
        case digest = 4
    }
}
