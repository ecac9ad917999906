import Storage
import TrackerProtocol

/// Makes a chunk folder of a file, and a file of a chunk folder. For blocking threads.
extension ChunkFolder {
    /// Few enough for a table, large enough to be worth a connection each.
    private static let usualCount: Int64 = 256
    private static let leastUsualByteCount: Int64 = 1 << 16

    /// The length of chunks for a file of that size: a power of two that makes 256 of them at most, not below 64 KiB.
    static func usualChunkByteCount(of byteCount: Int64) -> Int64 {
        var length = leastUsualByteCount
        while length < mostChunkBytes, byteCount > length * usualCount { length *= 2 }
        return length
    }

    /// Cuts a file into `chunk_1`, `chunk_2`... in a folder, which is made where there is none, and writes the list last.
    ///
    /// - Parameter chunkByteCount: the length of each but the last; `nil` for one that suits the size.
    /// - Returns: how many there are.
    package static func cut(
        _ path: String,
        into folder: String,
        chunkByteCount: Int? = nil
    ) throws(ChunkFolderFault) -> Int {
        let (above, name) = ResolvedPath.split(path)
        let source = try storing { () throws(StorageError) in
            guard let file = try FlatFolder(above).open(name) else { throw StorageError.notFound(path: path) }
            return file
        }
        let length = chunkByteCount.map(Int64.init) ?? usualChunkByteCount(of: source.byteCount)
        // An empty file is one empty chunk.
        let count = max(1, (source.byteCount + length - 1) / length)
        let limits = ChunkLimits()
        guard count <= limits.mostChunks else { throw .tooManyChunks(path: path, most: limits.mostChunks) }
        let files = try storing { () throws(StorageError) in
            try ResolvedPath.makeFolder(folder)
            return try FlatFolder(folder)
        }
        var list = ChunkList(chunkCount: Int(count))
        let isTaken = try storing { () throws(StorageError) in try files.exists(ChunkList.fileName) }
        guard !isTaken else { throw .listExists(path: files.path(of: ChunkList.fileName)) }
        try storing { () throws(StorageError) in
            for chunk in 1...Int(count) {
                let name = list.freeName(for: chunk)
                let draft = try files.draft(of: name)
                let begin = Int64(chunk - 1) * length
                try copy(source, begin..<min(begin + length, source.byteCount), to: draft, path)
                try draft.commit(replacing: false)
                list.add(chunk, file: name)
            }
            try files.replace(ChunkList.fileName, with: Array(list.text.utf8))
        }
        return Int(count)
    }

    /// Joins all chunks in order into a new file.
    ///
    /// - Returns: its length in bytes.
    package func join(into path: String) throws(ChunkFolderFault) -> Int64 {
        guard list.isComplete else { throw .incomplete(path: files.path, missing: list.missing) }
        let (above, name) = ResolvedPath.split(path)
        let target = try storing { () throws(StorageError) in try FlatFolder(above) }
        let isTaken = try storing { () throws(StorageError) in try target.exists(name) }
        guard !isTaken else { throw .outputExists(path: path) }
        let draft = try storing { () throws(StorageError) in try target.draft(of: name) }
        for chunk in 1...max(1, list.chunkCount) {
            let file = try open(chunk)
            let path = files.path
            try storing { () throws(StorageError) in
                try ChunkFolder.copy(file, 0..<file.byteCount, to: draft, path)
            }
        }
        try storing { () throws(StorageError) in try draft.commit(replacing: false) }
        return draft.byteCount
    }

    private static func copy(
        _ source: FlatFile,
        _ range: Range<Int64>,
        to draft: FileDraft,
        _ path: String
    ) throws(StorageError) {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let bytes = try source.read(at: offset, count: Int(min(Int64(stepByteCount), range.upperBound - offset)))
            guard !bytes.isEmpty else { throw .changed(path: path) }
            try draft.append(bytes)
            offset += Int64(bytes.count)
        }
    }
}
