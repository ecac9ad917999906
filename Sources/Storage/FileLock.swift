import Glibc

/// A lock on a file, held until the object or the process goes; the kernel lets go of it after a crash.
package final class FileLock: Sendable {
    package enum Fault: Error, Hashable, Sendable {
        /// Another process holds it, or this one twice.
        case held
        case unusable(errno: Int32)

        package var message: String {
            switch self {
            case .held: "another process uses it"
            // Safe: glibc returns a string that ends in NUL for every code, valid until this thread asks again.
            case .unusable(let code): unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
            }
        }
    }

    private let descriptor: Int32

    package init(_ path: String) throws(Fault) {
        guard let file = Descriptor(open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0o600)) else {
            throw .unusable(errno: errno)
        }
        guard flock(file.number, LOCK_EX | LOCK_NB) == 0 else {
            throw errno == EWOULDBLOCK ? .held : .unusable(errno: errno)
        }
        descriptor = file.release()
    }

    deinit { close(descriptor) }
}
