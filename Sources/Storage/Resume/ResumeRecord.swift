import Cryptography
import Metainfo
package import Primitives

/// What is remembered of one torrent between runs.
package struct ResumeRecord: Hashable, Sendable {
    package let infoHash: InfoHash
    package var name: String
    /// The folder that its files lie below.
    package var root: String
    /// The bencoded `info` dictionary; empty until the metadata arrived.
    package var info: [UInt8]
    package var downloaded: Int64 = 0
    package var uploaded: Int64 = 0
    /// In seconds since 1970; set by the store.
    package internal(set) var updated: Int64 = 0
    var progress: ResumeProgress?

    package init(infoHash: InfoHash, name: String, root: String, info: [UInt8]) {
        self.infoHash = infoHash
        self.name = name
        self.root = root
        self.info = info
    }

    /// The recorded pieces that lie only in files which nobody has touched since; all others are to be hashed again.
    package func trustedPieces(in files: FileSet) throws(StorageError) -> Bitfield {
        let count = files.layout.pieceCount
        guard let progress, let verified = progress.verified(count: count) else { return Bitfield(count: count) }
        return try files.trusted(verified, stamps: progress.fileStamps)
    }
}

/// Verified pieces, and how the files looked when they were: two blobs and a hash over both.
///
/// The hash is there because a flipped bit in a database page would otherwise claim a piece that we do not have.
struct ResumeProgress: Hashable, Sendable {
    let pieces: [UInt8]
    let stamps: [UInt8]
    let digest: [UInt8]

    private static let stampLength = 24
    /// Stands for a file that was not there; no file has a negative size.
    private static let absent: Int64 = -1

    init(verified: Bitfield, stamps: [FileStamp?]) {
        pieces = verified.bytes
        var writer = ByteWriter(capacity: stamps.count * ResumeProgress.stampLength)
        for stamp in stamps {
            writer.bigEndian(stamp?.size ?? ResumeProgress.absent)
            writer.bigEndian(stamp?.modifiedNanoseconds ?? 0)
            writer.bigEndian(stamp?.inode ?? 0)
        }
        self.stamps = writer.bytes
        digest = ResumeProgress.digest(pieces, writer.bytes)
    }

    /// What a database row holds, or `nil` when it is damaged.
    init?(pieces: [UInt8], stamps: [UInt8], digest: [UInt8]) {
        guard digest == ResumeProgress.digest(pieces, stamps) else { return nil }
        self.pieces = pieces
        self.stamps = stamps
        self.digest = digest
    }

    func verified(count: Int) -> Bitfield? { Bitfield(pieces.span.bytes, count: count) }

    var fileStamps: [FileStamp?] {
        let bytes = stamps.span.bytes
        return stride(from: 0, to: stamps.count, by: ResumeProgress.stampLength).map { offset in
            guard let size = bytes.bigEndian(Int64.self, at: offset), size != ResumeProgress.absent,
                let modified = bytes.bigEndian(Int64.self, at: offset + 8),
                let inode = bytes.bigEndian(UInt64.self, at: offset + 16)
            else { return nil }
            return FileStamp(size: size, modifiedNanoseconds: modified, inode: inode)
        }
    }

    private static func digest(_ pieces: [UInt8], _ stamps: [UInt8]) -> [UInt8] {
        var sha1 = SHA1()
        sha1.update(pieces.span.bytes)
        sha1.update(stamps.span.bytes)
        return sha1.finish().bytes
    }
}
