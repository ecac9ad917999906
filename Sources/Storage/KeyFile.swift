package import Cryptography
import Glibc
import Primitives

/// A file with a secret that its owner carries about: a publisher's private key, a seed of 64 hexadecimal digits or an
/// expanded key of 128 (BEP 44), or the key of a private swarm, 32 bytes as they are (secure-peer.md, §3).
///
/// Whoever can read it can publish in its owner's name, or join the swarm, so a file that others can read is refused, and
/// one that is there is never written over. Its bytes stay in locked memory.
package enum KeyFile {
    package enum Fault: Error, Hashable, Sendable {
        case missing
        case unreadable(errno: Int32)
        /// A link, a folder, a device.
        case notAFile
        /// Somebody else owns it, or may read it.
        case exposed
        /// Other than 64 or 128 hexadecimal digits and a line end; of a swarm, other than 32 bytes.
        case malformed
        case exists
        /// The system has no more memory for secrets.
        case noMemory
    }

    /// 128 digits, a line end of either kind.
    private static let mostBytes = 130
    private static let swarmKeyByteCount = 32

    package static func read(_ path: String) throws(Fault) -> Ed25519.SigningKey {
        try key(in: try contents(of: path, byteCount: 1...mostBytes))
    }

    /// The key of a private swarm.
    package static func readSwarmKey(_ path: String) throws(Fault) -> Secret {
        try contents(of: path, byteCount: swarmKeyByteCount...swarmKeyByteCount)
    }

    private static func contents(of path: String, byteCount: ClosedRange<Int>) throws(Fault) -> Secret {
        guard let file = Descriptor(open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)) else {
            switch errno {
            case ENOENT: throw .missing
            case ELOOP: throw .notAFile
            default: throw .unreadable(errno: errno)
            }
        }
        var status = stat()
        guard unsafe fstat(file.number, &status) == 0 else { throw .unreadable(errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile }
        guard status.st_uid == geteuid(), status.st_mode & 0o077 == 0 else { throw .exposed }
        guard byteCount ~= Int(status.st_size) else { throw .malformed }
        let size = Int(status.st_size)
        let text = try Secret(byteCount: size) { (span) throws(Fault) in
            // Safe: the span has `size` bytes, and no more are read.
            let count = unsafe span.withUnsafeMutableBytes { unsafe Glibc.read(file.number, $0.baseAddress, size) }
            guard count == size else { throw .unreadable(errno: EIO) }
        }
        guard let text else { throw .noMemory }
        return text
    }

    /// Makes a key and writes it to a new file that only its owner can read.
    package static func create(_ path: String) throws(Fault) -> Ed25519.SigningKey {
        guard let seed = Secret.random(byteCount: 32), let key = Ed25519.SigningKey(seed: seed.bytes),
            let text = KeyFile.text(of: seed)
        else { throw .noMemory }
        try write(text, to: path)
        return key
    }

    /// Makes the key of a private swarm and writes it to a new file that only its owner can read.
    package static func createSwarmKey(_ path: String) throws(Fault) {
        guard let key = Secret.random(byteCount: swarmKeyByteCount) else { throw .noMemory }
        try write(key, to: path)
    }

    private static func write(_ secret: Secret, to path: String) throws(Fault) {
        guard let file = Descriptor(open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)) else {
            throw errno == EEXIST ? .exists : .unreadable(errno: errno)
        }
        let bytes = secret.bytes
        // Safe: the secret outlives the call.
        let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file.number, $0.baseAddress, $0.count) }
        guard count == secret.byteCount, fsync(file.number) == 0 else {
            let code = errno
            unlink(path)
            throw .unreadable(errno: code)
        }
    }

    private static func key(in text: Secret) throws(Fault) -> Ed25519.SigningKey {
        var count = text.byteCount
        while count > 0, let last = text.bytes.byte(at: count - 1), last == 10 || last == 13 { count -= 1 }
        guard count == 64 || count == 128 else { throw .malformed }
        let key = try Secret(byteCount: count / 2) { (span) throws(Fault) in
            for index in 0..<count / 2 {
                guard let high = text.bytes.byte(at: index * 2).flatMap(Hex.value),
                    let low = text.bytes.byte(at: index * 2 + 1).flatMap(Hex.value)
                else { throw .malformed }
                span.storeBytes(of: high << 4 | low, toByteOffset: index, as: UInt8.self)
            }
        }
        guard let key else { throw .noMemory }
        let signingKey =
            count == 64 ? Ed25519.SigningKey(seed: key.bytes) : Ed25519.SigningKey(expanded: key.bytes)
        guard let signingKey else { throw .malformed }
        return signingKey
    }

    private static func text(of seed: Secret) -> Secret? {
        Secret(byteCount: seed.byteCount * 2 + 1) { span in
            for index in 0..<seed.byteCount {
                let byte = seed.bytes.byte(at: index) ?? 0
                span.storeBytes(of: digit(byte >> 4), toByteOffset: index * 2, as: UInt8.self)
                span.storeBytes(of: digit(byte & 15), toByteOffset: index * 2 + 1, as: UInt8.self)
            }
            span.storeBytes(of: 10, toByteOffset: seed.byteCount * 2, as: UInt8.self)
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }
}
