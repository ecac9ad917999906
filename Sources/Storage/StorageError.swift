import Glibc

/// What can go wrong between us and the disk; each message says what, why and what to do.
package enum StorageError: Error, Hashable, Sendable {
    case noSpace(path: String)
    case fileTooLarge(path: String)
    case permission(path: String)
    case readOnly(path: String)
    case notFound(path: String)
    case notFolder(path: String)
    /// A part of a path below the root is a symbolic link, and could lead anywhere (hardening F4).
    case symlink(path: String)
    /// A folder, device, pipe or socket stands where a file belongs (hardening F7).
    case notRegular(path: String)
    /// Writing would change a file of somebody else through a second name for it (hardening F7).
    case foreignLink(path: String)
    /// What stands there is longer than the torrent's file, so it is something else.
    case longer(path: String, size: Int64, expected: Int64)
    /// A file that is being hashed for a torrent became another one meanwhile.
    case changed(path: String)
    /// The file was deleted while we wrote to it.
    case vanished(path: String)
    case notText(path: String)
    case tooManyFiles(path: String, limit: Int)
    case tooDeep(path: String, limit: Int)
    case tooManyOpenFiles
    case cancelled
    /// The database of states was written by a later version.
    case newerState(path: String)
    case database(path: String, reason: String)
    case io(code: Int32, path: String)

    /// Reads `errno` as set by the call that just failed on `path`.
    init(errno code: Int32, path: String) {
        self =
            switch code {
            case ENOSPC, EDQUOT: .noSpace(path: path)
            case EFBIG: .fileTooLarge(path: path)
            case EACCES, EPERM: .permission(path: path)
            case EROFS: .readOnly(path: path)
            case ENOENT: .notFound(path: path)
            case ENOTDIR: .notFolder(path: path)
            case ELOOP: .symlink(path: path)
            case EISDIR, ENXIO: .notRegular(path: path)
            case EMFILE, ENFILE: .tooManyOpenFiles
            default: .io(code: code, path: path)
            }
    }

    /// Whether the same command can succeed once the person has done what the message says: such a torrent pauses.
    package var isCurable: Bool {
        switch self {
        case .cancelled, .tooManyFiles, .tooDeep: false
        default: true
        }
    }

    package var message: String {
        switch self {
        case .noSpace(let path):
            "no space left on device while writing \(path); free some space and run the same command again"
        case .fileTooLarge(let path):
            "\(path) is larger than its file system allows; choose a folder on another one"
        case .permission(let path):
            "permission denied for \(path); change its mode or owner, or choose another folder"
        case .readOnly(let path):
            "read-only file system at \(path); mount it writable or choose another folder"
        case .notFound(let path):
            "\(path) does not exist; create it or correct the path"
        case .notFolder(let path):
            "\(path) is not a folder, but one is needed there; move it away or choose another folder"
        case .symlink(let path):
            "refusing to follow symlink \(path); replace it by what it points to, or choose another folder"
        case .notRegular(let path):
            "\(path) is not a regular file; move it away or choose another folder"
        case .foreignLink(let path):
            "\(path) is a hard link to a file of another user, who would see it change; move it away"
        case .tooManyOpenFiles:
            "too many open files; raise the limit (ulimit -n) and run the same command again"
        case .cancelled:
            "cancelled"
        case .io(let code, let path):
            "\(path): \(StorageError.text(of: code)); check the disk and run the same command again"
        default: rarerMessage
        }
    }

    private var rarerMessage: String {
        switch self {
        case .longer(let path, let size, let expected):
            "\(path) has \(size) bytes where the torrent has \(expected), so it is another file; move it away"
        case .changed(let path):
            "\(path) changed while it was read; wait until nothing writes to it and run the same command again"
        case .vanished(let path):
            "\(path) was deleted while it was written; run the same command again"
        case .notText(let path):
            "the name \(path) is not UTF-8, which a torrent needs; rename it"
        case .tooManyFiles(let path, let limit):
            "\(path) holds more than \(limit) files, the limit of a torrent; share its parts, or an archive of it"
        case .tooDeep(let path, let limit):
            "\(path) lies more than \(limit) folders deep, the limit of a torrent; share its parts, or an archive of it"
        case .newerState(let path):
            "\(path) was written by a later version of shoal; use that version, or another state folder"
        case .database(let path, let reason):
            "\(path): \(reason)"
        default: "\(self)"
        }
    }

    private static func text(of code: Int32) -> String {
        // Safe: glibc returns a string that ends in NUL for every code, valid until this thread asks again.
        unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    }
}
