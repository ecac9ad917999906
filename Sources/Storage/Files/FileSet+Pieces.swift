import Cryptography
import Glibc
package import Metainfo
package import Primitives
import Synchronization

extension FileSet {
    /// The part of a range of the torrent that lies in one file.
    struct Segment: Hashable, Sendable {
        let file: Int
        /// Inside the file.
        let offset: Int64
        let length: Int
    }

    /// The segments that make up `length` bytes from `offset` on, in order; empty files have none.
    func segments(at offset: Int64, length: Int) -> [Segment] {
        var segments: [Segment] = []
        var position = offset
        let end = min(offset + Int64(length), layout.totalSize)
        var index = firstFile(endingAfter: offset)
        while position < end, index < files.count {
            let file = files[index]
            let count = min(end, file.end) - position
            if count > 0 {
                segments.append(Segment(file: index, offset: position - file.offset, length: Int(count)))
                position += count
            }
            index += 1
        }
        return segments
    }

    /// The pieces that hold bytes of a file; empty for an empty file.
    package func pieces(ofFile index: Int) -> Range<Int> {
        guard files.indices.contains(index), files[index].length > 0 else { return 0..<0 }
        let length = Int64(layout.pieceLength)
        return Int(files[index].offset / length)..<Int((files[index].end - 1) / length + 1)
    }

    /// Fills the buffer with the torrent's bytes from `offset` on.
    ///
    /// - Returns: `false` when some of them are not on disk (a missing or short file, or past the end of the torrent).
    package func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageError) -> Bool {
        guard offset >= 0, offset <= layout.totalSize - Int64(buffer.count) else { return false }
        var done = 0
        for segment in segments(at: offset, length: buffer.count) {
            // Safe: the segments add up to at most the buffer's count.
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + segment.length])
            guard try unsafe read(segment, into: part) else { return false }
            done += segment.length
        }
        return done == buffer.count
    }

    /// Reads one block for a peer to `begin` in the buffer, whose other bytes stay.
    package func read(_ block: Block, into buffer: PieceBuffer, at begin: Int = 0) throws(StorageError) -> Bool {
        let length = Int(block.length)
        guard layout.contains(block), begin >= 0, length <= buffer.capacity - begin else { return false }
        let offset = layout.offset(ofPiece: Int(block.piece)) + Int64(block.begin)
        return try unsafe read(at: offset, into: buffer.mutableBytes(begin..<begin + length))
    }

    /// Writes the torrent's bytes from `offset` on, creating files and folders as needed.
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(StorageError) {
        guard access == .writing else { throw .readOnly(path: root.path) }
        guard offset >= 0, offset <= layout.totalSize - Int64(bytes.count) else {
            throw .io(code: EINVAL, path: root.path)
        }
        var done = 0
        for segment in segments(at: offset, length: bytes.count) {
            // Safe: the segments add up to at most the buffer's count.
            let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[done..<done + segment.length])
            done += segment.length
            guard !files[segment.file].isPadding else { continue }
            let handle = try writable(segment.file)
            // Noted after the bytes went, also when they failed half-way: noted before, a synchronization on another
            // thread could take the note away and find nothing to make durable yet.
            defer { record.withLock { _ = $0.unsynchronized.insert(segment.file) } }
            try unsafe handle.write(part, at: segment.offset)
        }
    }

    /// Writes a whole piece from the beginning of the buffer.
    package func write(piece: Int, from buffer: PieceBuffer) throws(StorageError) {
        let length = layout.length(ofPiece: piece)
        guard length > 0, length <= buffer.capacity else { throw .io(code: EINVAL, path: root.path) }
        try unsafe write(UnsafeRawBufferPointer(buffer.mutableBytes(0..<length)), at: layout.offset(ofPiece: piece))
    }

    /// Hashes a downloaded piece and writes it when it is what the torrent promised.
    ///
    /// - Returns: `false` when its hash is another one; nothing was written then.
    package func store(piece: Int, from buffer: PieceBuffer, expected: SHA1Digest) throws(StorageError) -> Bool {
        let digest = buffer.withBytes(0..<layout.length(ofPiece: piece)) { SHA1.hash($0) }
        guard digest == expected else { return false }
        try write(piece: piece, from: buffer)
        return true
    }

    /// Creates the files that no piece touches, because they are empty, and the folders above them.
    ///
    /// - Parameter isWanted: whether the person asked for the file with this index.
    package func createEmptyFiles(where isWanted: (Int) -> Bool = { _ in true }) throws(StorageError) {
        guard access == .writing else { throw .readOnly(path: root.path) }
        for (index, file) in files.enumerated() where file.length == 0 && !file.isPadding && isWanted(index) {
            _ = try writable(index)
        }
    }

    func read(_ segment: Segment, into buffer: UnsafeMutableRawBufferPointer) throws(StorageError) -> Bool {
        if files[segment.file].isPadding {
            unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0)
            return true
        }
        guard let handle = try existing(segment.file) else { return false }
        return try unsafe handle.read(at: segment.offset, into: buffer) == buffer.count
    }

    /// Binary search: a torrent may have 500,000 files, and a piece is looked up for every block.
    private func firstFile(endingAfter offset: Int64) -> Int {
        var low = 0
        var high = files.count
        while low < high {
            let middle = (low + high) / 2
            if files[middle].end > offset { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
