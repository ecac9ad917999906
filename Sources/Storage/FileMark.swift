import Glibc

/// When a file was written last, and how long it is: another mark means that it has changed.
package struct FileMark: Hashable, Sendable {
    private let seconds: Int
    private let nanoseconds: Int
    private let byteCount: Int
    private let number: UInt64

    /// `nil` where there is no such file.
    package init?(_ path: String) {
        var status = stat()
        // Safe: the kernel fills the structure that it is given.
        guard unsafe stat(path, &status) == 0 else { return nil }
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
        byteCount = Int(status.st_size)
        // A file that was put in the place of another may be as old and as long.
        number = UInt64(status.st_ino)
    }
}
