import Glibc

/// The state folder: what is in it says what this person shares, and holds the key of this host.
package enum PrivateFolder {
    /// Makes the folder where it is missing, and the ones above it too, as in a new home; only ours to look into.
    package static func create(_ folder: String) throws(StorageError) {
        var path = ""
        for component in folder.split(separator: "/") {
            path += path.isEmpty && !folder.hasPrefix("/") ? String(component) : "/" + component
            guard mkdir(path, 0o700) != 0, errno != EEXIST else { continue }
            let code = errno
            // A folder that exists on a read-only file system, or above which we may not write, is as good as made.
            guard access(path, F_OK) == 0 else { throw StorageError(errno: code, path: path) }
        }
    }
}
