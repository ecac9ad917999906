import Glibc

/// The files below a path that somebody wants to share, in an order that depends on nothing but their names.
package struct FolderScan: Hashable, Sendable {
    package struct File: Hashable, Sendable {
        /// Relative to the root, the name of the shared file or folder first.
        package let pathComponents: [String]
        /// In bytes.
        package let size: Int64
    }

    /// Something that cannot go into a torrent.
    package struct Skipped: Hashable, Sendable {
        package enum Reason: Hashable, Sendable {
            /// Not followed: it could lead out of the folder, or round in a ring.
            case symlink
            /// A device, pipe or socket.
            case special
        }

        package let path: String
        package let reason: Reason
    }

    /// Bounds on what is collected; the same that a torrent is refused for (hardening F1, F9).
    package struct Limits: Hashable, Sendable {
        package var files = 500_000
        package var depth = 32

        package init() {}
    }

    /// The folder that holds the shared file or folder: the root of a `FileSet` that shares it.
    package let root: String
    /// The last component of the shared path, links resolved.
    package let name: String
    /// Whether one file was named, and not a folder.
    package let isSingleFile: Bool
    /// Sorted by the bytes of their names, folder by folder.
    package private(set) var files: [File] = []
    package private(set) var skipped: [Skipped] = []

    package var totalSize: Int64 { files.reduce(0) { $0 &+ $1.size } }

    private let limits: Limits

    /// Looks at a file, or at a folder and everything below it, hidden files too.
    ///
    /// The path itself may be a link: the person named it.
    /// - Throws: when anything in it cannot be read: a torrent that silently lacks files would be worse.
    package init(of path: String, limits: Limits = Limits()) throws(StorageError) {
        guard let resolved = unsafe realpath(path, nil) else { throw StorageError(errno: errno, path: path) }
        defer { unsafe free(resolved) }
        // Safe: realpath's result ends in NUL.
        guard let full = unsafe String(validatingCString: resolved) else { throw .notText(path: path) }
        let slash = full.lastIndex(of: "/") ?? full.startIndex
        let name = String(full[slash...].dropFirst())
        guard !name.isEmpty else { throw .notRegular(path: full) }
        self.limits = limits
        self.name = name
        root = slash == full.startIndex ? "/" : String(full[..<slash])
        var status = stat()
        guard unsafe stat(full, &status) == 0 else { throw StorageError(errno: errno, path: full) }
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            isSingleFile = true
            guard faccessat(AT_FDCWD, full, R_OK, AT_EACCESS) == 0 else { throw StorageError(errno: errno, path: full) }
            files = [File(pathComponents: [name], size: Int64(status.st_size))]
        case S_IFDIR:
            isSingleFile = false
            guard let folder = Descriptor(open(full, FolderScan.folderFlags)) else {
                throw StorageError(errno: errno, path: full)
            }
            try scan(folder, [name])
        default:
            throw .notRegular(path: full)
        }
    }

    private static let folderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC

    private mutating func scan(_ folder: borrowing Descriptor, _ components: [String]) throws(StorageError) {
        // The name of the torrent is not part of a file's path in it.
        guard components.count <= limits.depth else { throw .tooDeep(path: full(components), limit: limits.depth) }
        for name in try names(in: folder, components) {
            try visit(name, in: folder, components + [name])
        }
    }

    private mutating func visit(
        _ name: String,
        in folder: borrowing Descriptor,
        _ components: [String]
    ) throws(StorageError) {
        let path = full(components)
        var status = stat()
        guard unsafe fstatat(folder.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw StorageError(errno: errno, path: path)
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            guard files.count < limits.files else {
                throw .tooManyFiles(path: root + "/" + self.name, limit: limits.files)
            }
            guard faccessat(folder.number, name, R_OK, AT_EACCESS) == 0 else {
                throw StorageError(errno: errno, path: path)
            }
            files.append(File(pathComponents: components, size: Int64(status.st_size)))
        case S_IFDIR:
            guard let inner = Descriptor(openat(folder.number, name, FolderScan.folderFlags)) else {
                throw StorageError(errno: errno, path: path)
            }
            try scan(inner, components)
        case S_IFLNK: skip(path, .symlink)
        default: skip(path, .special)
        }
    }

    /// As many as files at most: they are listed to the person.
    private mutating func skip(_ path: String, _ reason: Skipped.Reason) {
        if skipped.count < limits.files { skipped.append(Skipped(path: path, reason: reason)) }
    }

    /// The names in a folder, sorted by their bytes.
    private func names(in folder: borrowing Descriptor, _ components: [String]) throws(StorageError) -> [String] {
        // A descriptor of its own: closedir closes it.
        guard let copy = Descriptor(openat(folder.number, ".", FolderScan.folderFlags)) else {
            throw StorageError(errno: errno, path: full(components))
        }
        guard let stream = unsafe fdopendir(copy.number) else {
            throw StorageError(errno: errno, path: full(components))
        }
        _ = copy.release()
        defer { unsafe closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = unsafe readdir(stream) {
            let bytes = unsafe FolderScan.name(of: entry)
            guard let name = String(validating: bytes, as: UTF8.self) else {
                throw .notText(path: full(components + [String(decoding: bytes, as: UTF8.self)]))
            }
            if name != ".", name != ".." { names.append(name) }
            guard names.count <= limits.files else {
                throw .tooManyFiles(path: full(components), limit: limits.files)
            }
            errno = 0
        }
        guard errno == 0 else { throw StorageError(errno: errno, path: full(components)) }
        // By bytes: the order of strings depends on the version of Unicode.
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
        // Safe: the kernel ends each name in NUL. An entry may be shorter than `dirent`, so its name is read where it
        // lies and not through a copy of the structure.
        let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
        let start = unsafe UnsafeRawPointer(entry) + offset
        return unsafe [UInt8](
            UnsafeRawBufferPointer(start: start, count: strlen(start.assumingMemoryBound(to: CChar.self)))
        )
    }

    private func full(_ components: [String]) -> String {
        (root == "/" ? "" : root) + "/" + components.joined(separator: "/")
    }
}
