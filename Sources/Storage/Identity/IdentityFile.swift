package import Cryptography
import Glibc
import Primitives

/// The file with the key that this host is known by (secure-peer.md, §1).
///
///     d1:a7:ed255191:ci<created>e1:k32:<public key>1:s32:<seed>1:vi1ee
///
/// It is refused rather than mended: a key that others could read is no key any more, and one that was put in place of
/// ours would have us sign as somebody else.
package struct IdentityFile: Sendable {
    package let signingKey: Ed25519.SigningKey
    /// When the key was made, in seconds since 1970.
    package let created: Int64

    package static let name = "identity.key"
    /// Written first, and then given its name; left behind by a crash in between.
    static let temporaryName = "identity.key.new"

    /// Nothing that we wrote is longer.
    static let mostBytes = 4096

    init(signingKey: Ed25519.SigningKey, created: Int64) {
        self.signingKey = signingKey
        self.created = created
    }

    /// Reads the key of a folder and changes nothing, so that it may be asked while a node runs; `nil` where there is
    /// none.
    package static func read(folder path: String) throws(IdentityFault) -> IdentityFile? {
        var status = stat()
        if unsafe stat(path, &status) != 0, errno == ENOENT { return nil }
        return try read(in: try open(folder: path))
    }

    static func open(folder path: String) throws(IdentityFault) -> Descriptor {
        guard let folder = Descriptor(Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) else {
            throw .unreadable(errno)
        }
        var status = stat()
        guard unsafe fstat(folder.number, &status) == 0 else { throw .unreadable(errno) }
        // Who may write there can take the key away, and the lock.
        guard status.st_mode & 0o022 == 0 else { throw .folderOpen(mode: status.st_mode & 0o7777) }
        return folder
    }

    static func read(in folder: borrowing Descriptor) throws(IdentityFault) -> IdentityFile? {
        let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        guard let file = Descriptor(openat(folder.number, name, flags)) else {
            switch errno {
            case ENOENT: return nil
            case ELOOP: throw .symlink
            default: throw .unreadable(errno)
            }
        }
        let size = try check(file, in: folder)
        let bytes = Secret(byteCount: size) { span in
            // Safe: `read` writes at most the span's own bytes.
            let count = unsafe span.withUnsafeMutableBytes { unsafe Glibc.read(file.number, $0.baseAddress, $0.count) }
            if count != size { span.storeBytes(of: 0, toByteOffset: 0, as: UInt8.self) }
        }
        guard let bytes else { throw .noMemory }
        return try IdentityFile(bytes)
    }

    /// Whether nobody else can have read or planted the file; its size.
    private static func check(
        _ file: borrowing Descriptor,
        in folder: borrowing Descriptor
    ) throws(IdentityFault) -> Int {
        var status = stat()
        guard unsafe fstat(file.number, &status) == 0 else { throw .unreadable(errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
        guard status.st_uid == geteuid() else { throw .foreign }
        guard status.st_mode & 0o077 == 0 else { throw .openToOthers(mode: status.st_mode & 0o7777) }
        guard status.st_nlink == 1 || isBeingMade(status, in: folder) else { throw .linked }
        guard status.st_size > 0, status.st_size <= off_t(mostBytes) else { throw .malformed }
        return Int(status.st_size)
    }

    /// Whether the second name of a file is the one that it was written under: its maker is about to remove that, or
    /// crashed before.
    private static func isBeingMade(_ file: stat, in folder: borrowing Descriptor) -> Bool {
        var other = stat()
        return unsafe file.st_nlink == 2
            && fstatat(folder.number, temporaryName, &other, AT_SYMLINK_NOFOLLOW) == 0
            && other.st_ino == file.st_ino && other.st_dev == file.st_dev
    }

    /// Reads exactly the form above: there is one way to write a key.
    private init(_ file: Secret) throws(IdentityFault) {
        let bytes = file.bytes
        var offset = 0
        func passes(_ text: StaticString) -> Bool {
            defer { offset += text.utf8CodeUnitCount }
            return bytes.matches(offset..<offset + text.utf8CodeUnitCount, text)
        }
        guard passes("d1:a7:ed255191:ci") else { throw .malformed }
        let digits = offset
        var created: Int64 = 0
        while let byte = bytes.byte(at: offset), 48...57 ~= byte, offset - digits < 18 {
            created = created * 10 + Int64(byte - 48)
            offset += 1
        }
        guard offset > digits, offset == digits + 1 || bytes.byte(at: digits) != UInt8(ascii: "0"), passes("e1:k32:"),
            let key = Ed25519.PublicKey(bytes, at: offset)
        else { throw .malformed }
        offset += 32
        guard passes("1:s32:"), offset <= bytes.byteCount - 32 else { throw .malformed }
        let seed = bytes.extracting(offset..<offset + 32)
        offset += 32
        guard passes("1:vi1ee"), offset == bytes.byteCount else { throw .malformed }
        guard let signingKey = Ed25519.SigningKey(seed: seed) else { throw .noMemory }
        guard signingKey.publicKey == key else { throw .mismatch }
        self.init(signingKey: signingKey, created: created)
    }
}
