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
    private static let readAhead: Int64 = 2 << 20

    private let files: FileSet
    private let buffer: PieceBuffer
    private var sha1 = SHA1()
    /// The last hole found: a sparse file has pieces by the thousand in one.
    private var hole: (file: Int, range: Range<Int64>) = (-1, 0..<0)

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
            let end = segment.offset + Int64(segment.length)
            if hole.file == segment.file, hole.range.contains(segment.offset), end <= hole.range.upperBound { continue }
            guard let handle = try files.existing(segment.file) else { return false }
            let size = Int64(try handle.status().st_size)
            // Past the end of a short file the bytes are missing, which is not the same as zero.
            let data = min(handle.firstData(from: segment.offset) ?? size, size)
            guard end <= data else { return false }
            hole = (segment.file, segment.offset..<data)
        }
        return true
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
                handle.willRead(at: offset + PieceHasher.readAhead, count: count)
                guard try unsafe handle.read(at: offset, into: slice) == count else { return false }
            } else {
                unsafe slice.initializeMemory(as: UInt8.self, repeating: 0)
            }
            buffer.withBytes(0..<count) { sha1.update($0) }
            offset += Int64(count)
        }
        return true
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
