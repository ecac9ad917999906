import CSodium

/// Passwords as a database may keep them: argon2id by libsodium, at its INTERACTIVE cost (hardening R3).
///
/// Each call takes 64 MiB and tens of milliseconds, and belongs on a thread of its own, one call at a time (hardening R4).
package enum PasswordHash {
    /// Room for the text and its NUL (`crypto_pwhash_STRBYTES`).
    private static let byteCount = 128

    /// What is compared with where there is no such account, so that a stranger does not learn from the time it takes
    /// which names there are. It costs what a new one costs, and no known password fits.
    package static let ofNobody =
        "$argon2id$v=19$m=65536,t=2,p=1$c2hvYWwgaGFzIG5vYm9keQ$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"

    /// - Parameter password: bytes of any kind, one at least.
    /// - Returns: `nil` for no password, and where the system has no 64 MiB for it.
    package static func make(_ password: RawSpan) -> String? {
        guard Secret.isReady else { return nil }
        var text = [CChar](repeating: 0, count: byteCount)
        // Safe: the password has so many bytes; libsodium writes at most 128, and ends them with NUL.
        let code = unsafe password.withUnsafeBytes { password in
            guard let start = unsafe password.bindMemory(to: CChar.self).baseAddress else { return Int32(-1) }
            return unsafe crypto_pwhash_str(
                &text,
                start,
                UInt64(password.count),
                UInt64(crypto_pwhash_OPSLIMIT_INTERACTIVE),
                Int(crypto_pwhash_MEMLIMIT_INTERACTIVE)
            )
        }
        guard code == 0 else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether a password is the one that a hash was made of.
    package static func isCorrect(_ password: RawSpan, for hash: String) -> Bool {
        guard Secret.isReady, let text = padded(hash) else { return false }
        // Safe: libsodium reads 128 bytes of the hash at most, and the password's own.
        return unsafe password.withUnsafeBytes { password in
            guard let start = unsafe password.bindMemory(to: CChar.self).baseAddress else { return false }
            return unsafe crypto_pwhash_str_verify(text, start, UInt64(password.count)) == 0
        }
    }

    /// Whether a hash was made at another cost than now, and is to be made anew while its password is at hand.
    package static func isOutdated(_ hash: String) -> Bool {
        guard let text = padded(hash) else { return true }
        // Safe: libsodium reads 128 bytes at most.
        return unsafe crypto_pwhash_str_needs_rehash(
            text,
            UInt64(crypto_pwhash_OPSLIMIT_INTERACTIVE),
            Int(crypto_pwhash_MEMLIMIT_INTERACTIVE)
        ) != 0
    }

    /// 128 bytes that end in NUL; `nil` for what is no such text.
    private static func padded(_ hash: String) -> [CChar]? {
        guard hash.utf8.count < byteCount, !hash.utf8.contains(0) else { return nil }
        let bytes = hash.utf8.map { CChar(bitPattern: $0) }
        return bytes + [CChar](repeating: 0, count: byteCount - bytes.count)
    }
}
