package import Cryptography
import Glibc
import Primitives

/// The file with the key that this host is known by (secure-peer.md, §1).
///
///     d1:a7:ed255191:ci<created>e1:k32:<public key>1:s32:<seed>1:vi1ee
///
/// It is refused rather than mended: a key that others could read is no key any more, and one that was put in place of
/// ours would have us sign as somebody else. Whoever calls holds the folder's lock.
package struct IdentityFile: ~Copyable {
    package let signingKey: Ed25519.SigningKey

    package static let name = "identity.key"
    /// Written first, and then given its name; left behind by a crash in between.
    static let temporaryName = "identity.key.new"

    /// Nothing that we wrote is longer.
    static let mostBytes = 4096

    /// Reads the key of a folder, or makes one where there is none.
    ///
    /// - Parameter now: seconds since 1970, for the file.
    package init(folder: String, now: Int64) throws(IdentityFault) {
        guard let folder = Descriptor(open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) else {
            throw .unreadable(errno)
        }
        // A crash after the file got its name leaves it with two.
        unlinkat(folder.number, IdentityFile.temporaryName, 0)
        if let key = try IdentityFile.load(in: folder) {
            signingKey = key
            return
        }
        try IdentityFile.create(in: folder, created: now)
        guard let key = try IdentityFile.load(in: folder) else { throw .unwritable(ENOENT) }
        signingKey = key
    }

    // MARK: Reading

    private static func load(in folder: borrowing Descriptor) throws(IdentityFault) -> Ed25519.SigningKey? {
        let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        guard let file = Descriptor(openat(folder.number, name, flags)) else {
            switch errno {
            case ENOENT: return nil
            case ELOOP: throw .symlink
            default: throw .unreadable(errno)
            }
        }
        let size = try check(file)
        let bytes = Secret(byteCount: size) { span in
            // Safe: `read` writes at most the span's own bytes.
            let count = unsafe span.withUnsafeMutableBytes { unsafe read(file.number, $0.baseAddress, $0.count) }
            if count != size { span.storeBytes(of: 0, toByteOffset: 0, as: UInt8.self) }
        }
        guard let bytes else { throw .noMemory }
        return try signingKey(in: bytes)
    }

    /// Whether nobody else can have read or planted the file; its size.
    private static func check(_ file: borrowing Descriptor) throws(IdentityFault) -> Int {
        var status = stat()
        guard unsafe fstat(file.number, &status) == 0 else { throw .unreadable(errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
        guard status.st_uid == geteuid() else { throw .foreign }
        guard status.st_mode & 0o077 == 0 else { throw .readableByOthers(mode: status.st_mode & 0o7777) }
        guard status.st_nlink == 1 else { throw .linked }
        guard status.st_size > 0, status.st_size <= off_t(mostBytes) else { throw .malformed }
        return Int(status.st_size)
    }

    /// Reads exactly the form above: there is one way to write a key.
    private static func signingKey(in file: Secret) throws(IdentityFault) -> Ed25519.SigningKey {
        let bytes = file.bytes
        var offset = 0
        func passes(_ text: StaticString) -> Bool {
            defer { offset += text.utf8CodeUnitCount }
            return bytes.matches(offset..<offset + text.utf8CodeUnitCount, text)
        }
        guard passes("d1:a7:ed255191:ci") else { throw .malformed }
        let digits = offset
        while let byte = bytes.byte(at: offset), 48...57 ~= byte { offset += 1 }
        guard (1...19).contains(offset - digits), passes("e1:k32:"), let key = Ed25519.PublicKey(bytes, at: offset)
        else { throw .malformed }
        offset += 32
        guard passes("1:s32:"), offset <= bytes.byteCount - 32 else { throw .malformed }
        let seed = bytes.extracting(offset..<offset + 32)
        offset += 32
        guard passes("1:vi1ee"), offset == bytes.byteCount else { throw .malformed }
        guard let signingKey = Ed25519.SigningKey(seed: seed) else { throw .noMemory }
        guard signingKey.publicKey == key else { throw .mismatch }
        return signingKey
    }

    // MARK: Making

    /// Makes a key, and lets its file appear as a whole: a crash leaves none or a complete one.
    private static func create(in folder: borrowing Descriptor, created: Int64) throws(IdentityFault) {
        guard let seed = Secret.random(byteCount: 32), let key = Ed25519.SigningKey(seed: seed.bytes),
            let bytes = encoded(seed, key.publicKey, created: max(0, created))
        else { throw .noMemory }
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        guard let file = Descriptor(openat(folder.number, temporaryName, flags, 0o600)) else {
            throw .unwritable(errno)
        }
        defer { unlinkat(folder.number, temporaryName, 0) }
        // Safe: `write` reads the span's own bytes.
        let count = unsafe bytes.bytes.withUnsafeBytes { unsafe write(file.number, $0.baseAddress, $0.count) }
        guard count == bytes.byteCount else { throw .unwritable(count < 0 ? errno : ENOSPC) }
        // The umask takes bits away only, but not all of them may be taken.
        guard fchmod(file.number, 0o600) == 0, fsync(file.number) == 0,
            linkat(folder.number, temporaryName, folder.number, name, 0) == 0
        else { throw .unwritable(errno) }
        unlinkat(folder.number, temporaryName, 0)
        fsync(folder.number)
    }

    private static func encoded(_ seed: Secret, _ key: Ed25519.PublicKey, created: Int64) -> Secret? {
        let head = Array("d1:a7:ed255191:ci\(created)e1:k32:".utf8) + key.bytes + Array("1:s32:".utf8)
        let tail = Array("1:vi1ee".utf8)
        return Secret(byteCount: head.count + seed.byteCount + tail.count) { span in
            var offset = 0
            func store(_ byte: UInt8) {
                span.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
                offset += 1
            }
            for byte in head { store(byte) }
            for index in 0..<seed.byteCount { store(seed.bytes.byte(at: index) ?? 0) }
            for byte in tail { store(byte) }
        }
    }
}
