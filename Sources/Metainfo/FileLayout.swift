/// The files of a torrent as one run of bytes, in the order of its `files` list (BEP 3).
package struct FileLayout: Hashable, Sendable {
    package enum Kind: UInt8, Hashable, Sendable {
        case regular
        /// Zeros that fill a piece (BEP 47): part of the run of bytes, never written.
        case padding
        /// Never created (hardening F5): a link from a stranger points wherever he likes.
        case symlink
    }

    package struct File: Hashable, Sendable {
        /// Where the file goes below the download folder; the torrent's name comes first.
        package let path: SafePath
        /// Of its first byte in the torrent.
        package let offset: Int64
        /// In bytes; a symlink has none.
        package let length: Int64
        package let kind: Kind

        /// Where its bytes lie in the torrent.
        package var range: Range<Int64> { offset..<offset + length }
    }

    /// A run of bytes inside one file.
    package struct Slice: Hashable, Sendable {
        /// Index of the file.
        package let file: Int
        /// Inside the file.
        package let offset: Int64
        /// In bytes.
        package let length: Int

        package init(file: Int, offset: Int64, length: Int) {
            self.file = file
            self.offset = offset
            self.length = length
        }
    }

    package let files: [File]
    package let totalSize: Int64
    /// The files that have bytes: a search among them cannot be slowed down by half a million empty ones.
    private let occupied: [Int32]

    /// - Parameter files: path, length and kind, in order.
    package init(_ files: [(path: SafePath, length: Int64, kind: Kind)]) throws(MetainfoError) {
        var placed: [File] = []
        var occupied: [Int32] = []
        placed.reserveCapacity(files.count)
        var offset: Int64 = 0
        for (index, file) in files.enumerated() {
            guard file.length >= 0 else { throw .negativeLength(file.length) }
            guard file.length < FileLayout.totalLimit - offset else { throw .totalTooLarge }
            placed.append(File(path: file.path, offset: offset, length: file.length, kind: file.kind))
            if file.length > 0 { occupied.append(Int32(truncatingIfNeeded: index)) }
            offset += file.length
        }
        try FileLayout.checkPaths(placed)
        self.files = placed
        self.occupied = occupied
        totalSize = offset
    }

    /// Sizes stay below this (hardening F9), so that sums of offsets cannot overflow.
    package static let totalLimit: Int64 = 1 << 60

    /// Refuses two files that a file system may take for one, and a file that another would need as a folder.
    private static func checkPaths(_ files: [File]) throws(MetainfoError) {
        var sorted: [(folded: String, file: Int)] = []
        for (index, file) in files.enumerated() where file.kind != .padding {
            sorted.append((file.path.folded, index))
        }
        guard sorted.count > 1 else { return }
        sorted.sort { $0.folded < $1.folded }
        // Separators sort first, so whatever lies inside a file comes right after it.
        for (first, second) in zip(sorted, sorted.dropFirst()) {
            if first.folded == second.folded { throw .repeatedPath(files[second.file].path.text) }
            let depth = files[first.file].path.depth
            let parents = second.folded.utf8.split(separator: 1, maxSplits: depth)
            guard parents.count > depth, let end = parents.dropLast().last?.endIndex else { continue }
            if second.folded[..<end] == first.folded { throw .fileInsideFile(files[second.file].path.text) }
        }
    }

    /// The parts of files that `count` bytes at `offset` consist of; less where that leaves the torrent.
    package func slices(at offset: Int64, count: Int) -> [Slice] {
        var slices: [Slice] = []
        forEachSlice(at: offset, count: count) { slices.append($0) }
        return slices
    }

    /// The parts of files that a piece consists of.
    package func slices(ofPiece piece: Int, in layout: PieceLayout) -> [Slice] {
        slices(at: layout.offset(ofPiece: piece), count: layout.length(ofPiece: piece))
    }

    /// Visits the parts of files that `count` bytes at `offset` consist of, in order, without an array.
    package func forEachSlice<Failure: Error>(
        at offset: Int64,
        count: Int,
        _ body: (Slice) throws(Failure) -> Void
    ) throws(Failure) {
        guard offset >= 0, offset < totalSize, count > 0 else { return }
        var position = offset
        let end = offset + min(Int64(count), totalSize - offset)
        var index = firstOccupied(at: offset)
        while position < end, index < occupied.count {
            let file = files[Int(occupied[index])]
            let length = Int(min(end, file.range.upperBound) - position)
            try body(Slice(file: Int(occupied[index]), offset: position - file.offset, length: length))
            position += Int64(length)
            index += 1
        }
    }

    /// The pieces that hold bytes of a file; empty for an empty file.
    package func pieces(ofFile file: Int, in layout: PieceLayout) -> Range<Int> {
        guard files.indices.contains(file), files[file].length > 0 else { return 0..<0 }
        let range = files[file].range
        let length = Int64(layout.pieceLength)
        return Int(range.lowerBound / length)..<Int((range.upperBound - 1) / length) + 1
    }

    /// Where in `occupied` the file is that holds the byte at `offset`.
    private func firstOccupied(at offset: Int64) -> Int {
        var low = 0
        var high = occupied.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if files[Int(occupied[middle])].offset <= offset { low = middle } else { high = middle }
        }
        return low
    }
}
