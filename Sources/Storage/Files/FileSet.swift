import CLinux
import Glibc
package import Metainfo
import Synchronization

/// The files of one torrent, read and written as the one run of bytes that the torrent is.
///
/// Safe to use from several threads. Files open on first use; nothing is created before its first byte is written.
/// `pread` and `pwrite` only, never a memory map: a full disk must be an error, and not the end of the process.
package final class FileSet: Sendable {
    package enum Access: Hashable, Sendable {
        /// For sharing: never creates or writes.
        case reading
        case writing
    }

    package let layout: PieceLayout
    /// In the order of their offsets, without gaps.
    package let files: [StoredFile]
    package let access: Access

    let root: RootFolder
    private let openFiles: OpenFiles
    private let identity: UInt64
    let record: Mutex<Record>
    let synchronizing = Mutex(())
    let capturing = Mutex(())

    /// What has been written, and how the files looked when we knew them last.
    struct Record {
        var unsynchronized: Set<Int> = []
        var stamps: [FileStamp?]?
    }

    /// - Precondition: the files follow each other without gaps and add up to the layout's size, as those of a
    ///   validated torrent do (hardening F9).
    package convenience init(
        root: String,
        files: [StoredFile],
        layout: PieceLayout,
        access: Access,
        openFiles: OpenFiles
    ) {
        self.init(root: RootFolder(path: root), files: files, layout: layout, access: access, openFiles: openFiles)
    }

    init(root: RootFolder, files: [StoredFile], layout: PieceLayout, access: Access, openFiles: OpenFiles) {
        var end: Int64 = 0
        for file in files {
            precondition(file.offset == end && file.length >= 0 && file.length <= layout.totalSize - end)
            end = file.end
        }
        precondition(end == layout.totalSize)
        self.root = root
        self.files = files
        self.layout = layout
        self.access = access
        self.openFiles = openFiles
        identity = openFiles.newSet()
        record = Mutex(Record())
    }

    deinit { openFiles.removeAll(of: identity) }

    package var rootPath: String { root.path }

    /// Where the file lies, for messages and for the person.
    package func path(ofFile index: Int) -> String {
        files.indices.contains(index) ? root.full(files[index].pathComponents[...]) : root.path
    }

    /// Says early what a first write would say late: the root is missing, no folder, or not ours to write (hardening F8).
    package func verifyRoot() throws(StorageError) {
        let folder = try root.open()
        let needed = access == .writing ? R_OK | W_OK | X_OK : R_OK | X_OK
        guard faccessat(folder.number, ".", needed, AT_EACCESS) == 0 else {
            throw StorageError(errno: errno, path: root.path)
        }
    }

    /// Forgets the open files; those that are being read close when their reader is done.
    package func close() { openFiles.removeAll(of: identity) }

    /// The file as it is, or `nil` when it is not there.
    func existing(_ index: Int, forWriting: Bool = false) throws(StorageError) -> FileHandle? {
        let key = OpenFiles.Key(set: identity, file: index)
        if let handle = openFiles.use(key, forWriting: forWriting) { return handle }
        guard let handle = try open(index, forWriting: forWriting) else { return nil }
        openFiles.keep(handle, for: key)
        return handle
    }

    /// The file ready to be written: created when missing, and of its full length.
    func writable(_ index: Int) throws(StorageError) -> FileHandle {
        if let handle = try existing(index, forWriting: true) { return handle }
        let components = files[index].pathComponents
        if let descriptor = try retrying({ () throws(StorageError) in try self.root.create(components) }) {
            let handle = FileHandle(descriptor.release(), isWritable: true, path: path(ofFile: index))
            try handle.grow(to: files[index].length)
            openFiles.keep(handle, for: OpenFiles.Key(set: identity, file: index))
            return handle
        }
        // Another worker created it between our two attempts.
        guard let handle = try existing(index, forWriting: true) else { throw .vanished(path: path(ofFile: index)) }
        return handle
    }

    private func open(_ index: Int, forWriting: Bool) throws(StorageError) -> FileHandle? {
        let components = files[index].pathComponents
        let flags = forWriting ? O_RDWR : O_RDONLY
        guard let descriptor = try retrying({ () throws(StorageError) in try self.root.open(components, flags) })
        else { return nil }
        let handle = FileHandle(descriptor.release(), isWritable: forWriting, path: path(ofFile: index))
        let status = try handle.status()
        try check(status, ofFile: index, forWriting: forWriting)
        if forWriting, status.st_size < files[index].length { try handle.grow(to: files[index].length) }
        return handle
    }

    func check(_ status: stat, ofFile index: Int, forWriting: Bool) throws(StorageError) {
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular(path: path(ofFile: index)) }
        if forWriting, status.st_nlink > 1, status.st_uid != geteuid() { throw .foreignLink(path: path(ofFile: index)) }
        let expected = files[index].length
        guard status.st_size <= expected else {
            throw .longer(path: path(ofFile: index), size: Int64(status.st_size), expected: expected)
        }
    }

    /// Closes all cached files and tries once more when the process is out of descriptors.
    private func retrying(_ attempt: () throws(StorageError) -> Descriptor?) throws(StorageError) -> Descriptor? {
        do throws(StorageError) {
            return try attempt()
        } catch .tooManyOpenFiles {
            openFiles.removeAll()
            return try attempt()
        }
    }
}
