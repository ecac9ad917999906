import Cryptography
import Glibc
import Primitives

/// Whoever calls holds the folder's lock: two makers would remove each other's unfinished files.
extension IdentityFile {
    /// Reads the key of a folder, or makes one where there is none.
    ///
    /// - Parameter now: seconds since 1970, for the file.
    package init(folder path: String, now: Int64) throws(IdentityFault) {
        let folder = try IdentityFile.open(folder: path)
        // A crash after the file got its name leaves it with two.
        unlinkat(folder.number, IdentityFile.temporaryName, 0)
        if let file = try IdentityFile.read(in: folder) {
            self = file
            return
        }
        self = try IdentityFile.make(in: folder, now: now)
    }

    /// Makes a key where there is none; what is there, whatever it is, is left alone.
    ///
    /// - Parameter now: seconds since 1970, for the file.
    package static func make(folder path: String, now: Int64) throws(IdentityFault) -> IdentityFile {
        let folder = try open(folder: path)
        unlinkat(folder.number, temporaryName, 0)
        return try make(in: folder, now: now)
    }

    private static func make(in folder: borrowing Descriptor, now: Int64) throws(IdentityFault) -> IdentityFile {
        try write(created: now, in: folder)
        return try takeName(in: folder)
    }

    /// Makes a new key, and puts what goes by the name of the old one aside, whatever it is: `identity.key.<time>`.
    ///
    /// A crash leaves the old key, or none under the name, or the new one; the old one is somewhere in each case.
    ///
    /// - Parameter now: seconds since 1970, for the file and for the name of the old one.
    /// - Returns: the new key, and the name of the old one in the folder where there was one.
    package static func replace(
        folder path: String,
        now: Int64
    ) throws(IdentityFault) -> (file: IdentityFile, aside: String?) {
        let folder = try open(folder: path)
        unlinkat(folder.number, temporaryName, 0)
        try write(created: now, in: folder)
        let aside = name + "." + stamp(of: now)
        let code = move(name, to: aside, in: folder)
        guard code == 0 || code == ENOENT else {
            unlinkat(folder.number, temporaryName, 0)
            throw .unwritable(code)
        }
        do throws(IdentityFault) {
            return (try takeName(in: folder), code == 0 ? aside : nil)
        } catch {
            if code == 0 { _ = move(aside, to: name, in: folder) }
            throw error
        }
    }

    /// Gives a file another name that is free.
    ///
    /// - Returns: 0, or the error number. Nobody takes the name in between: we hold the lock, and others cannot write here.
    private static func move(_ name: String, to other: String, in folder: borrowing Descriptor) -> Int32 {
        var status = stat()
        if unsafe fstatat(folder.number, other, &status, AT_SYMLINK_NOFOLLOW) == 0 { return EEXIST }
        return renameat(folder.number, name, folder.number, other) == 0 ? 0 : errno
    }

    /// Makes a key and writes it as a whole, under a name that nobody reads.
    private static func write(created: Int64, in folder: borrowing Descriptor) throws(IdentityFault) {
        guard let seed = Secret.random(byteCount: 32), let key = Ed25519.SigningKey(seed: seed.bytes),
            let bytes = encoded(seed, key.publicKey, created: max(0, created))
        else { throw .noMemory }
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        guard let file = Descriptor(openat(folder.number, temporaryName, flags, 0o600)) else {
            throw .unwritable(errno)
        }
        // Safe: `write` reads the span's own bytes.
        let count = unsafe bytes.bytes.withUnsafeBytes { unsafe Glibc.write(file.number, $0.baseAddress, $0.count) }
        // The umask takes bits away only, but not all of them may be taken.
        guard count == bytes.byteCount, fchmod(file.number, 0o600) == 0, fsync(file.number) == 0 else {
            let code = count >= 0 && count < bytes.byteCount ? ENOSPC : errno
            unlinkat(folder.number, temporaryName, 0)
            throw .unwritable(code)
        }
    }

    /// Lets the file that was written appear under its name, as a whole or not at all, and never in place of another.
    ///
    /// - Returns: what can be read under the name.
    private static func takeName(in folder: borrowing Descriptor) throws(IdentityFault) -> IdentityFile {
        let isNamed = linkat(folder.number, temporaryName, folder.number, name, 0) == 0
        let code = errno
        unlinkat(folder.number, temporaryName, 0)
        guard isNamed else { throw code == EEXIST ? .exists : .unwritable(code) }
        // Some file systems cannot do this for folders, and say EINVAL.
        guard fsync(folder.number) == 0 || errno == EINVAL else { throw .unwritable(errno) }
        guard let file = try read(in: folder) else { throw .unwritable(ENOENT) }
        return file
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

    /// `20261121-201530`, in UTC.
    private static func stamp(of seconds: Int64) -> String {
        var seconds = time_t(seconds)
        var parts = tm()
        unsafe gmtime_r(&seconds, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)\(two(parts.tm_mon + 1))\(two(parts.tm_mday))-"
            + "\(two(parts.tm_hour))\(two(parts.tm_min))\(two(parts.tm_sec))"
    }
}
