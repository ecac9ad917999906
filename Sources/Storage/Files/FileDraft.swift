import Cryptography
import Glibc
package import Primitives
import Synchronization

/// A file that is being written beside its place, and hashed on the way; dropped with the last reference to it unless it was
/// committed.
package final class FileDraft: Sendable {
    private struct State: ~Copyable {
        var byteCount: Int64 = 0
        var sha1 = SHA1()
        var isCommitted = false
    }

    private let handle: FileHandle
    private let folder: FileHandle
    private let temporary: String
    private let name: String
    private let state = Mutex(State())

    init(_ handle: FileHandle, in folder: FileHandle, _ temporary: String, as name: String) {
        self.handle = handle
        self.folder = folder
        self.temporary = temporary
        self.name = name
    }

    deinit {
        let isCommitted = state.withLock { $0.isCommitted }
        if !isCommitted { unlinkat(folder.descriptor, temporary, 0) }
    }

    package var byteCount: Int64 { state.withLock { $0.byteCount } }

    package func append(_ bytes: [UInt8]) throws(StorageError) {
        let offset = state.withLock { state in
            state.sha1.update(bytes.span.bytes)
            defer { state.byteCount += Int64(bytes.count) }
            return state.byteCount
        }
        var failure: StorageError?
        bytes.withUnsafeBytes { bytes in
            do throws(StorageError) {
                // Safe: the array outlives the call that writes it.
                unsafe try handle.write(bytes, at: offset)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// The hash of all that was appended; begins another one.
    package func digest() -> SHA1Digest { state.withLock { $0.sha1.finish() } }

    /// Makes the file durable and gives it its name.
    ///
    /// - Throws: `StorageError`; `.io` with EEXIST when something goes by that name and `isReplacing` is false.
    package func commit(replacing isReplacing: Bool) throws(StorageError) {
        // Zeros at the end were left to a hole.
        try handle.grow(to: byteCount)
        try handle.synchronize()
        let code =
            isReplacing
            ? renameat(folder.descriptor, temporary, folder.descriptor, name)
            : linkat(folder.descriptor, temporary, folder.descriptor, name, 0)
        guard code == 0 else { throw StorageError(errno: errno, path: handle.path) }
        if !isReplacing { unlinkat(folder.descriptor, temporary, 0) }
        fsync(folder.descriptor)
        state.withLock { $0.isCommitted = true }
    }
}
