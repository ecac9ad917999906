import Glibc
import Primitives

/// Files of a few kilobytes that are read and replaced as a whole.
package enum SmallFile {
    /// The bytes, or `nil` where there is no such regular file or it is longer than anything we wrote.
    package static func read(_ path: String, limit: Int) -> [UInt8]? {
        guard let file = Descriptor(open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)) else { return nil }
        var status = stat()
        guard unsafe fstat(file.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size >= 0, status.st_size <= limit
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        let count = unsafe Glibc.read(file.number, &bytes, bytes.count)
        return count == bytes.count ? bytes : nil
    }

    /// The bytes, and the time since they were written by the system's clock; 0 for a file from the future.
    package static func readWithAge(_ path: String, limit: Int) -> (bytes: [UInt8], age: Duration)? {
        var status = stat()
        var now = timespec()
        guard let bytes = read(path, limit: limit), unsafe lstat(path, &status) == 0,
            unsafe clock_gettime(CLOCK_REALTIME, &now) == 0
        else { return nil }
        return (bytes, .seconds(max(0, now.tv_sec - status.st_mtim.tv_sec)))
    }

    /// Writes beside the file, makes it durable, and renames: a crash leaves the old or the new one, never half of either.
    @discardableResult
    package static func replace(_ path: String, with bytes: [UInt8]) -> Bool {
        let temporary = "\(path).\(getpid()).new"
        unlink(temporary)
        guard let file = Descriptor(open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)) else {
            return false
        }
        let isWritten = unsafe Glibc.write(file.number, bytes, bytes.count) == bytes.count && fsync(file.number) == 0
        guard isWritten, rename(temporary, path) == 0 else {
            unlink(temporary)
            return false
        }
        return true
    }
}
