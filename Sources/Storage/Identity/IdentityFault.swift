import Glibc

/// Why the key of this host is not used; the file is left as it is.
package enum IdentityFault: Error, Hashable, Sendable {
    case symlink
    case notRegular
    /// It belongs to another user.
    case foreign
    case openToOthers(mode: UInt32)
    /// Others may write into the state folder, and so take the key away or put another in its place.
    case folderOpen(mode: UInt32)
    /// It has a second name, by which others may read or change it.
    case linked
    /// Too short, too long, or not written by us.
    case malformed
    /// The public key is not that of the seed.
    case mismatch
    case noMemory
    /// There is one already, or something else of that name.
    case exists
    case unreadable(Int32)
    case unwritable(Int32)

    /// What is wrong, and what to do.
    package var message: String {
        switch self {
        case .symlink: "is a symbolic link; put the file itself there"
        case .notRegular: "is not a regular file; move it away"
        case .foreign: "belongs to another user; take a state folder of your own"
        case .openToOthers(let mode):
            "is \(mode & 0o044 == 0 ? "open to" : "readable by") others (mode 0\(String(mode, radix: 8))); if nobody "
                + "has read it, run chmod 600 on it, else move it away, and a new key is made"
        case .folderOpen(let mode):
            "lies in a folder that others can write into (mode 0\(String(mode, radix: 8))); run chmod 700 on that"
        case .linked: "has a second name (hard link); remove that"
        case .malformed: "is truncated or not a key of shoal; restore it, or move it away, and a new key is made"
        case .mismatch:
            "holds a public key that is not that of its seed; restore it, or move it away, and a new key is made"
        case .noMemory: "cannot be held: no memory is left for secrets"
        case .exists: "exists; shoal id new --replace puts it aside and makes a new one"
        case .unreadable(let code): "cannot be read: \(IdentityFault.text(of: code))"
        case .unwritable(let code): "cannot be written: \(IdentityFault.text(of: code))"
        }
    }

    private static func text(of code: Int32) -> String {
        // Safe: glibc returns a string that ends in NUL for every code, valid until this thread asks again.
        unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    }
}
