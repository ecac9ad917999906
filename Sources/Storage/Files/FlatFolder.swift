import CLinux
import Glibc
import Synchronization

/// A folder whose files lie directly in it, opened by name; no name leads out of it, and no link is followed (hardening F4).
///
/// For blocking threads, as all file calls.
package struct FlatFolder: Sendable {
    private let root: RootFolder

    /// Two drafts of one name must not be one file: the first that is dropped would take the other along.
    private static let drafts = Atomic(0)

    package var path: String { root.path }

    /// - Throws: `StorageError` when there is no such folder.
    package init(_ path: String) throws(StorageError) {
        root = RootFolder(path: path)
        _ = try root.open()
    }

    package func path(of name: String) -> String { root.full([name]) }

    /// Whether anything goes by that name.
    package func exists(_ name: String) throws(StorageError) -> Bool { try root.open([name], RootFolder.naming) != nil }

    /// A regular file, open for reading; `nil` where there is nothing.
    package func open(_ name: String) throws(StorageError) -> FlatFile? {
        guard let descriptor = try root.open([name], O_RDONLY) else { return nil }
        let handle = FileHandle(descriptor.release(), isWritable: false, path: path(of: name))
        let status = try handle.status()
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular(path: handle.path) }
        return FlatFile(handle, byteCount: Int64(status.st_size))
    }

    /// All of a small file; `nil` where there is nothing.
    ///
    /// - Throws: `StorageError`; `.fileTooLarge` when it is longer than `limit`.
    package func read(_ name: String, limit: Int) throws(StorageError) -> [UInt8]? {
        guard let file = try open(name) else { return nil }
        guard file.byteCount <= limit else { throw .fileTooLarge(path: path(of: name)) }
        return try file.read(at: 0, count: Int(file.byteCount))
    }

    /// A new file that takes its name only when it is whole.
    package func draft(of name: String) throws(StorageError) -> FileDraft {
        let number = FlatFolder.drafts.add(1, ordering: .relaxed).newValue
        let temporary = ".\(name.prefix(40)).\(getpid()).\(number).new"
        let folder = try root.open()
        unlinkat(folder.number, temporary, 0)
        guard let descriptor = try root.create([temporary]) else { throw .io(code: EEXIST, path: path(of: temporary)) }
        let handle = FileHandle(descriptor.release(), isWritable: true, path: path(of: name))
        return FileDraft(handle, in: FileHandle(folder.release(), isWritable: false, path: path), temporary, as: name)
    }

    /// Replaces a file as a whole: a crash leaves the old or the new one.
    package func replace(_ name: String, with bytes: [UInt8]) throws(StorageError) {
        let draft = try draft(of: name)
        try draft.append(bytes)
        try draft.commit(replacing: true)
    }
}

/// A regular file that is read.
package final class FlatFile: Sendable {
    private let handle: FileHandle
    package let byteCount: Int64

    init(_ handle: FileHandle, byteCount: Int64) {
        self.handle = handle
        self.byteCount = byteCount
    }

    /// The bytes from `offset` on, fewer than `count` at the end of the file.
    package func read(at offset: Int64, count: Int) throws(StorageError) -> [UInt8] {
        var failure: StorageError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(StorageError) {
                // Safe: the kernel writes into the array's own room, and says how much of it.
                filled = unsafe try handle.read(at: offset, into: UnsafeMutableRawBufferPointer(buffer))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
