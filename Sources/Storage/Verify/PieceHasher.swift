import Cryptography
import Glibc
import Metainfo
import Primitives
import Synchronization

/// Hashes pieces as they lie on disk, one slice after the other, with one context and one buffer for all of them.
///
/// Belongs to one thread for one stretch of pieces.
struct PieceHasher: ~Copyable {
    enum Outcome: Hashable {
        case digest(SHA1Digest)
        /// All bytes are there, and lie in holes: none of them was read.
        case zeros(length: Int)
        /// Some bytes are not on disk; this file lacks them.
        case missing(file: Int)
    }

    /// Small enough to stay in a core's second-level cache between the kernel's copy and the hash.
    static let sliceLength = 256 << 10
    /// How far ahead the disk works.
    private static let aheadLength: Int64 = 2 << 20

    /// How much is read without asking for holes again after data was found. A hole in it is read like zeros; asking for
    /// each small piece cost a tenth of hashing it.
    private static let dataGuess: Int64 = 1 << 20

    private struct Extent {
        var file: Int
        var range: Range<Int64>
        var isHole: Bool
    }

    private let files: FileSet
    private let buffer: PieceBuffer
    private var sha1 = SHA1()
    /// What the file system said last about holes: a sparse file has pieces by the thousand in one.
    private var extent = Extent(file: -1, range: 0..<0, isHole: false)

    init(files: FileSet, buffer: PieceBuffer) {
        self.files = files
        self.buffer = buffer
    }

    mutating func outcome(ofPiece piece: Int) throws(StorageError) -> Outcome {
        let length = files.layout.length(ofPiece: piece)
        let segments = files.segments(at: files.layout.offset(ofPiece: piece), length: length)
        if try areHoles(segments) { return .zeros(length: length) }
        for segment in segments where try !add(segment) {
            // Starts afresh for the next piece.
            _ = sha1.finish()
            return .missing(file: segment.file)
        }
        return .digest(sha1.finish())
    }

    /// The digest of so many zeros.
    static func digest(ofZeros length: Int) -> SHA1Digest {
        let zeros = [UInt8](repeating: 0, count: min(length, sliceLength))
        var sha1 = SHA1()
        var rest = length
        while rest > 0 {
            let count = min(rest, zeros.count)
            sha1.update(zeros.span.bytes.extracting(first: count))
            rest -= count
        }
        return sha1.finish()
    }

    private mutating func areHoles(_ segments: [FileSet.Segment]) throws(StorageError) -> Bool {
        for segment in segments where !files.files[segment.file].isPadding {
            if extent.file != segment.file || !extent.range.contains(segment.offset) {
                guard let handle = try files.existing(segment.file) else { return false }
                try look(from: segment.offset, in: segment.file, handle)
            }
            guard extent.isHole, segment.offset + Int64(segment.length) <= extent.range.upperBound else { return false }
        }
        return true
    }

    private mutating func look(from offset: Int64, in file: Int, _ handle: FileHandle) throws(StorageError) {
        // Past the end of a short file the bytes are missing, which is not the same as zero.
        let size = Int64(try handle.status().st_size)
        let data = min(handle.firstData(from: offset) ?? size, size)
        let isHole = data > offset
        extent = Extent(
            file: file,
            range: offset..<(isHole ? data : offset + PieceHasher.dataGuess),
            isHole: isHole
        )
    }

    /// - Returns: `false` when the file ends before the segment does.
    private mutating func add(_ segment: FileSet.Segment) throws(StorageError) -> Bool {
        var offset = segment.offset
        let end = segment.offset + Int64(segment.length)
        let isPadding = files.files[segment.file].isPadding
        let handle = isPadding ? nil : try files.existing(segment.file)
        guard isPadding || handle != nil else { return false }
        while offset < end {
            let count = Int(min(Int64(PieceHasher.sliceLength), end - offset))
            let slice = unsafe buffer.mutableBytes(0..<count)
            if let handle {
                readAhead(of: offset, count, handle)
                guard try unsafe handle.read(at: offset, into: slice) == count else { return false }
            } else {
                unsafe slice.initializeMemory(as: UInt8.self, repeating: 0)
            }
            buffer.withBytes(0..<count) { sha1.update($0) }
            offset += Int64(count)
        }
        return true
    }

    /// Once for each slice's length, however small the pieces are.
    private func readAhead(of offset: Int64, _ count: Int, _ handle: FileHandle) {
        let length = Int64(PieceHasher.sliceLength)
        guard offset % length + Int64(count) >= length else { return }
        handle.willRead(at: offset + PieceHasher.aheadLength, count: PieceHasher.sliceLength)
    }
}

/// The digests of runs of zeros: a torrent has two lengths of piece at most, and each is hashed once.
final class ZeroDigests: Sendable {
    private let known = Mutex<[Int: SHA1Digest]>([:])

    func digest(length: Int) -> SHA1Digest {
        known.withLock { known in
            if let digest = known[length] { return digest }
            let digest = PieceHasher.digest(ofZeros: length)
            known[length] = digest
            return digest
        }
    }
}
