import CLinux
import Glibc

/// A descriptor with one owner, closed at the end of its scope.
struct Descriptor: ~Copyable {
    let number: Int32

    init?(_ number: Int32) {
        guard number >= 0 else { return nil }
        self.number = number
    }

    deinit { close(number) }

    /// Gives the number to another owner.
    consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }
}

/// The folder below which all files of a torrent lie; no name in a torrent leads out of it (hardening F4).
///
/// The path of the root itself is the person's own and may pass symbolic links. It is opened afresh each time, so a
/// folder that vanished and came back (a disk plugged in again) is found.
struct RootFolder: Sendable {
    let path: String
    /// Off in tests of the older way, and of no use before Linux 5.6.
    var asksKernel = true

    private static let folderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    /// O_NONBLOCK: opening a pipe that somebody planted must not wait for its other end.
    private static let fileFlags = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    /// Names a file without opening it; nothing happens at a pipe then, and the kernel refuses the flags for it.
    static let naming = clinux_o_path

    func open() throws(StorageError) -> Descriptor {
        guard let folder = Descriptor(Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) else {
            // The root's own path is not watched for links: ELOOP here is a ring of them.
            throw errno == ELOOP ? .io(code: ELOOP, path: path) : StorageError(errno: errno, path: path)
        }
        return folder
    }

    /// Opens what lies at `components`, or returns `nil` where nothing does.
    func open(_ components: [String], _ flags: Int32) throws(StorageError) -> Descriptor? {
        try check(components)
        let root = try open()
        let flags = flags | (flags & RootFolder.naming == 0 ? RootFolder.fileFlags : O_NOFOLLOW | O_CLOEXEC)
        if asksKernel {
            let relative = components.joined(separator: "/")
            if let file = Descriptor(clinux_open_beneath(root.number, relative, flags, 0)) {
                return file
            }
            switch errno {
            case ENOENT: return nil
            // An old kernel, a sandbox that forbids the call, a rename under way, or a link: the walk below knows.
            case ENOSYS, EPERM, EAGAIN, EXDEV, ELOOP, ENOTDIR, ENAMETOOLONG: break
            default: throw StorageError(errno: errno, path: full(components[...]))
            }
        }
        guard let folder = try walk(from: root, components, creating: false) else { return nil }
        if let file = Descriptor(openat(folder.number, components[components.count - 1], flags)) {
            return file
        }
        guard errno != ENOENT else { return nil }
        throw StorageError(errno: errno, path: full(components[...]))
    }

    /// Creates a file for reading and writing, with the folders above it; `nil` when something stands there already.
    func create(_ components: [String]) throws(StorageError) -> Descriptor? {
        try check(components)
        let root = try open()
        guard let folder = try walk(from: root, components, creating: true) else {
            throw .notFound(path: full(components.dropLast()))
        }
        // The process's umask narrows both modes (hardening F6).
        let flags = O_RDWR | O_CREAT | O_EXCL | RootFolder.fileFlags
        if let file = Descriptor(openat(folder.number, components[components.count - 1], flags, 0o644)) {
            return file
        }
        guard errno != EEXIST else { return nil }
        throw StorageError(errno: errno, path: full(components[...]))
    }

    /// The path of the first few components, for messages.
    func full(_ components: ArraySlice<String>) -> String {
        let slash = path.hasSuffix("/") ? "" : "/"
        return components.isEmpty ? path : path + slash + components.joined(separator: "/")
    }

    /// The folder that the last component lies in, reached one component at a time; `nil` where one is missing.
    private func walk(
        from root: borrowing Descriptor,
        _ components: [String],
        creating: Bool
    ) throws(StorageError) -> Descriptor? {
        guard var folder = Descriptor(fcntl(root.number, F_DUPFD_CLOEXEC, 0)) else {
            throw StorageError(errno: errno, path: path)
        }
        for (index, name) in components.dropLast().enumerated() {
            if creating, mkdirat(folder.number, name, 0o755) != 0, errno != EEXIST {
                throw StorageError(errno: errno, path: full(components[...index]))
            }
            guard let next = Descriptor(openat(folder.number, name, RootFolder.folderFlags)) else {
                guard errno != ENOENT else { return nil }
                throw obstacle(in: folder, name, full(components[...index]), code: errno)
            }
            folder = next
        }
        return folder
    }

    /// Linux answers ENOTDIR for a link as well, where a folder was asked for and links are not followed.
    private func obstacle(in folder: borrowing Descriptor, _ name: String, _ path: String, code: Int32) -> StorageError
    {
        var status = stat()
        if unsafe fstatat(folder.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_mode & S_IFMT == S_IFLNK {
            return .symlink(path: path)
        }
        return StorageError(errno: code, path: path)
    }

    /// The metadata's paths are safe when they come here; a mistake there must not become a hole here.
    private func check(_ components: [String]) throws(StorageError) {
        let isSafe = components.allSatisfy { name in
            !name.isEmpty && name != "." && name != ".." && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
        }
        guard isSafe, !components.isEmpty else { throw .io(code: EINVAL, path: full(components[...])) }
    }
}
