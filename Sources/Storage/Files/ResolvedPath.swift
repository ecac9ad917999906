import Glibc

/// A path that exists, links resolved, cut into the folder and the name in it.
package struct ResolvedPath: Hashable, Sendable {
    package let folder: String
    package let name: String
    package let isFolder: Bool

    package var full: String { name.isEmpty ? folder : (folder == "/" ? "" : folder) + "/" + name }

    package init(_ path: String) throws(StorageError) {
        guard let resolved = unsafe realpath(path, nil) else { throw StorageError(errno: errno, path: path) }
        defer { unsafe free(resolved) }
        // Safe: realpath's result ends in NUL.
        guard let full = unsafe String(validatingCString: resolved) else { throw .notText(path: path) }
        (folder, name) = ResolvedPath.split(full)
        isFolder = ResolvedPath.isFolder(full)
    }

    package static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The folder (`.` where the path has none) and the last name.
    package static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let folder = path[..<slash]
        return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
    }

    /// Makes the folder a person named, and those above it.
    package static func makeFolder(_ path: String) throws(StorageError) {
        guard !isFolder(path) else { return }
        let (above, name) = split(path.hasSuffix("/") ? String(path.dropLast()) : path)
        if above != ".", above != "/", !name.isEmpty { try makeFolder(above) }
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw StorageError(errno: errno, path: path) }
        guard isFolder(path) else { throw .notFolder(path: path) }
    }
}
