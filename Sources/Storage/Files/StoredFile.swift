import Glibc

/// One file of a torrent as it lies on disk.
package struct StoredFile: Hashable, Sendable {
    /// Relative to the root; each is a safe name (hardening F1 to F3), never empty, `.` or `..`.
    package let pathComponents: [String]
    /// Where the file begins in the torrent, in bytes.
    package let offset: Int64
    /// In bytes.
    package let length: Int64
    /// Padding (BEP 47) reads as zeros and never reaches the disk.
    package let isPadding: Bool

    package init(pathComponents: [String], offset: Int64, length: Int64, isPadding: Bool = false) {
        self.pathComponents = pathComponents
        self.offset = offset
        self.length = length
        self.isPadding = isPadding
    }

    package var end: Int64 { offset + length }
    var path: String { pathComponents.joined(separator: "/") }
}

/// What tells whether a file is still the one we knew: a write by anybody changes at least one of the three.
package struct FileStamp: Hashable, Sendable {
    package let size: Int64
    package let modifiedNanoseconds: Int64
    package let inode: UInt64

    package init(size: Int64, modifiedNanoseconds: Int64, inode: UInt64) {
        self.size = size
        self.modifiedNanoseconds = modifiedNanoseconds
        self.inode = inode
    }

    init(_ status: stat) {
        size = Int64(status.st_size)
        // Wraps after the year 2262, equally on both sides of a comparison.
        modifiedNanoseconds = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
        inode = UInt64(status.st_ino)
    }
}
