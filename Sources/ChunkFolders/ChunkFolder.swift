import Cryptography
package import Primitives
package import Storage
package import TrackerProtocol

/// A folder of chunks and its list, on disk. For blocking threads.
package struct ChunkFolder: Sendable {
    /// As large as a piece may be (F9); what is longer is not a chunk, or an attack on the disk.
    package static let mostChunkBytes: Int64 = 1 << 28
    /// What is read, hashed and sent at a time.
    static let stepByteCount = 1 << 18

    package let files: FlatFolder
    package private(set) var list: ChunkList

    /// - Throws: `ChunkFolderFault` when there is no such folder, or its list is not to be believed.
    package init(_ path: String) throws(ChunkFolderFault) {
        files = try storing { () throws(StorageError) in try FlatFolder(path) }
        let listPath = files.path(of: ChunkList.fileName)
        let folder = files
        let bytes = try storing { () throws(StorageError) in
            try folder.read(ChunkList.fileName, limit: ChunkList.mostBytes)
        }
        guard let bytes else { throw .noList(path: listPath) }
        do throws(ChunkList.Fault) {
            list = try ChunkList(parsing: bytes)
        } catch {
            throw .list(path: listPath, error)
        }
    }

    /// The hash of a chunk that the list names.
    package func hash(of chunk: Int) throws(ChunkFolderFault) -> SHA1Digest {
        let file = try open(chunk)
        return try storing { () throws(StorageError) in
            var sha1 = SHA1()
            var offset: Int64 = 0
            while offset < file.byteCount {
                let bytes = try file.read(at: offset, count: ChunkFolder.stepByteCount)
                guard !bytes.isEmpty else { throw .changed(path: files.path) }
                sha1.update(bytes.span.bytes)
                offset += Int64(bytes.count)
            }
            return sha1.finish()
        }
    }

    /// The file of a chunk that the list names.
    package func open(_ chunk: Int) throws(ChunkFolderFault) -> FlatFile {
        let name = list.files[chunk] ?? ""
        let (folder, path) = (files, files.path(of: name))
        guard !name.isEmpty, let file = try storing({ () throws(StorageError) in try folder.open(name) }) else {
            throw .fileMissing(path: path, chunk: chunk)
        }
        guard file.byteCount <= ChunkFolder.mostChunkBytes else {
            throw .chunkTooLarge(path: path, most: ChunkFolder.mostChunkBytes)
        }
        return file
    }

    /// A file for a chunk that is being fetched; nobody's file is written over.
    func draft(of chunk: Int) throws(StorageError) -> (draft: FileDraft, name: String) {
        var name = list.freeName(for: chunk)
        while try files.exists(name) { name += "_" }
        return (try files.draft(of: name), name)
    }

    /// A chunk lies here by that name now; says so in the list, before its last line.
    mutating func add(_ chunk: Int, file: String) throws(StorageError) {
        var longer = list
        longer.add(chunk, file: file)
        try files.replace(ChunkList.fileName, with: Array(longer.text.utf8))
        list = longer
    }
}

/// What the disk refuses, as a fault of the folder.
func storing<Value>(_ body: () throws(StorageError) -> Value) throws(ChunkFolderFault) -> Value {
    do throws(StorageError) {
        return try body()
    } catch {
        throw .storage(error)
    }
}
