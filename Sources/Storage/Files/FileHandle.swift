import CLinux
import Glibc

/// An open descriptor that closes itself when the last user lets go of it.
///
/// A cache may forget a handle while another thread reads through it: counting references is what keeps the
/// descriptor, whose number the kernel would hand to the next file, open until then.
final class FileHandle: Sendable {
    let descriptor: Int32
    let isWritable: Bool
    /// For messages.
    let path: String

    init(_ descriptor: Int32, isWritable: Bool, path: String) {
        self.descriptor = descriptor
        self.isWritable = isWritable
        self.path = path
    }

    deinit { close(descriptor) }

    func status() throws(StorageError) -> stat {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw StorageError(errno: errno, path: path) }
        return status
    }

    /// Reads until the buffer is full or the file ends; returns the number of bytes read.
    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageError) -> Int {
        guard let base = buffer.baseAddress else { return 0 }
        var done = 0
        while done < buffer.count {
            // Safe: the kernel writes at most the rest of the caller's buffer.
            let count = unsafe pread(descriptor, base + done, buffer.count - done, off_t(offset) + done)
            if count == 0 { break }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw StorageError(errno: errno, path: path)
            }
            done += count
        }
        return done
    }

    /// Writes all bytes; zeros where the file has a hole are left to the hole, so that a sparse file stays one.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(StorageError) {
        guard let base = bytes.baseAddress, !(bytes.isZero && isHole(at: offset, count: bytes.count)) else { return }
        var done = 0
        while done < bytes.count {
            // Safe: the kernel reads at most the rest of the caller's buffer.
            let count = unsafe pwrite(descriptor, base + done, bytes.count - done, off_t(offset) + done)
            guard count >= 0 else {
                if errno == EINTR { continue }
                throw StorageError(errno: errno, path: path)
            }
            done += count
        }
    }

    /// Makes what was written survive a loss of power.
    func synchronize() throws(StorageError) {
        while fdatasync(descriptor) != 0 {
            guard errno == EINTR else { throw StorageError(errno: errno, path: path) }
        }
    }

    /// Makes the file `length` bytes long with a hole at its end: sparse by default (hardening F15).
    func grow(to length: Int64) throws(StorageError) {
        while ftruncate(descriptor, off_t(length)) != 0 {
            guard errno == EINTR else { throw StorageError(errno: errno, path: path) }
        }
    }

    /// The first offset from `offset` on that holds data; `nil` when only a hole follows.
    ///
    /// A file system that knows nothing of holes answers `offset` itself, and its data is read.
    func firstData(from offset: Int64) -> Int64? {
        let found = clinux_seek_data(descriptor, offset)
        if found >= 0 { return found }
        return errno == ENXIO ? nil : offset
    }

    /// Whether these bytes lie inside the file and were never written.
    private func isHole(at offset: Int64, count: Int) -> Bool {
        let size = lseek(descriptor, 0, SEEK_END)
        let next = firstData(from: offset) ?? Int64(size)
        return next >= offset + Int64(count) && Int64(size) >= offset + Int64(count)
    }

    /// Asks the kernel to begin reading: a disk works while the processor hashes.
    func willRead(at offset: Int64, count: Int) {
        _ = posix_fadvise(descriptor, off_t(offset), off_t(count), POSIX_FADV_WILLNEED)
    }
}

extension UnsafeRawBufferPointer {
    /// Whether every byte is zero; told by the first words for nearly all data.
    fileprivate var isZero: Bool {
        let words = count / 8
        for index in 0..<words where loadUnaligned(fromByteOffset: index * 8, as: UInt64.self) != 0 { return false }
        return self[(words * 8)...].allSatisfy { $0 == 0 }
    }
}
