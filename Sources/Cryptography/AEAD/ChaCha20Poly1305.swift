import CLibcrypto

/// Authenticated encryption (RFC 8439) by libcrypto, which has code for the vectors of today's processors: three times
/// as fast here as libsodium 1.0.18.
///
/// One context serves any number of keys and messages without allocating. It holds a key only while a message is sealed
/// or opened: `Secret`s are where keys rest, and the context lies in memory that is neither locked nor kept out of
/// dumps.
package struct ChaCha20Poly1305: ~Copyable {
    package static let keyByteCount = 32
    package static let tagByteCount = 16

    /// Fetched once: a fetch for each context costs more than a short message.
    // Safe: an EVP_CIPHER is immutable after it was fetched, and is never freed.
    private nonisolated(unsafe) static let algorithm = unsafe EVP_CIPHER_fetch(nil, "ChaCha20-Poly1305", nil)

    private let context: OpaquePointer

    /// - Returns: `nil` where libcrypto has no more memory, or is one without this cipher.
    package init?() {
        guard unsafe ChaCha20Poly1305.algorithm != nil, let context = unsafe EVP_CIPHER_CTX_new() else { return nil }
        guard unsafe EVP_EncryptInit_ex2(context, ChaCha20Poly1305.algorithm, nil, nil, nil) == 1 else {
            unsafe EVP_CIPHER_CTX_free(context)
            return nil
        }
        unsafe self.context = context
    }

    deinit { unsafe EVP_CIPHER_CTX_free(context) }

    /// Seals what `gather` appends, straight into `output`.
    ///
    /// - Parameters:
    ///   - keys: what has the key in it.
    ///   - keyRange: where the key stands, 32 bytes.
    ///   - nonce: the last eight bytes of the nonce, in little-endian order; never twice with one key.
    ///   - authenticated: what is not sent, but has to be the same where it is opened.
    ///   - output: where the sealed text goes.
    ///   - range: where in it; as long as what is gathered and 16 bytes for the tag.
    ///   - gather: appends exactly `range.count - 16` bytes.
    /// - Returns: whether it worked. Where it did not, `output` is not to be sent.
    package mutating func seal(
        with keys: borrowing ChangingSecret,
        _ keyRange: Range<Int>,
        nonce: UInt64,
        authenticating authenticated: RawSpan = RawSpan(),
        into output: inout MutableRawSpan,
        _ range: Range<Int>,
        _ gather: (inout SealedText) -> Void
    ) -> Bool {
        let count = range.count - ChaCha20Poly1305.tagByteCount
        guard count >= 0, range.lowerBound >= 0, range.upperBound <= output.byteCount,
            let length = Int32(exactly: count), begin(keys, keyRange, nonce, isSealing: true)
        else { return false }
        defer { forgetKey() }
        return unsafe output.withUnsafeMutableBytes { output in
            guard let base = unsafe output.bindMemory(to: UInt8.self).baseAddress else { return false }
            guard add(authenticated, isSealing: true) else { return false }
            // Safe: the range lies in the output.
            let start = unsafe base + range.lowerBound
            // Safe: the text ends before the tag begins, and does not outlive the closure.
            var text = unsafe SealedText(start: start, byteCount: count)
            gather(&text)
            guard text.isComplete else { return false }
            var written: Int32 = 0
            // Safe: the cipher may write where it reads, and has nothing left to write at the end; the tag's 16 bytes
            // lie behind the text.
            guard unsafe count == 0 || EVP_EncryptUpdate(context, start, &written, start, length) == 1,
                unsafe EVP_EncryptFinal_ex(context, start + count, &written) == 1
            else { return false }
            return unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, start + count) == 1
        }
    }

    /// Opens in place: the text stands where the sealed text stood, with the tag's 16 bytes behind it.
    ///
    /// - Parameters:
    ///   - keys: what has the key in it.
    ///   - keyRange: where the key stands, 32 bytes.
    ///   - nonce: that of the sealing.
    ///   - authenticated: that of the sealing.
    ///   - bytes: what has the sealed text in it.
    ///   - range: where the sealed text stands, with its tag.
    /// - Returns: whether all of it is what was sealed. Where it is not, `bytes` is a stranger's work and not to be read.
    package mutating func open(
        with keys: borrowing ChangingSecret,
        _ keyRange: Range<Int>,
        nonce: UInt64,
        authenticating authenticated: RawSpan = RawSpan(),
        in bytes: inout MutableRawSpan,
        _ range: Range<Int>
    ) -> Bool {
        let count = range.count - ChaCha20Poly1305.tagByteCount
        guard count >= 0, range.lowerBound >= 0, range.upperBound <= bytes.byteCount,
            let length = Int32(exactly: count),
            begin(keys, keyRange, nonce, isSealing: false)
        else { return false }
        defer { forgetKey() }
        return unsafe bytes.withUnsafeMutableBytes { bytes in
            guard let base = unsafe bytes.bindMemory(to: UInt8.self).baseAddress else { return false }
            guard add(authenticated, isSealing: false) else { return false }
            // Safe: the range lies in the bytes.
            let start = unsafe base + range.lowerBound
            var written: Int32 = 0
            // Safe: the cipher may write where it reads; the tag's 16 bytes lie behind the `count` that it reads.
            guard unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, start + count) == 1,
                unsafe count == 0 || EVP_DecryptUpdate(context, start, &written, start, length) == 1
            else { return false }
            return unsafe EVP_DecryptFinal_ex(context, start + count, &written) == 1
        }
    }

    /// Replaces a key by what it makes of 32 zeros under the last of all nonces, from which nobody finds the way back.
    ///
    /// - Parameters:
    ///   - keys: what has the key in it.
    ///   - keyRange: where it stands, 32 bytes.
    /// - Returns: whether it worked; where it did not, the key is gone.
    package mutating func advance(_ keys: inout ChangingSecret, _ keyRange: Range<Int>) -> Bool {
        guard begin(keys, keyRange, .max, isSealing: true) else { return false }
        defer { forgetKey() }
        // Safe: the key has 32 bytes, as `begin` has made sure, and the cipher has a copy of its own by now.
        return unsafe keys.write(ChaCha20Poly1305.keyByteCount, at: keyRange.lowerBound) { key in
            var written: Int32 = 0
            unsafe key.update(repeating: 0, count: ChaCha20Poly1305.keyByteCount)
            return unsafe EVP_EncryptUpdate(context, key, &written, key, 32) == 1
        }
    }

    private mutating func begin(
        _ keys: borrowing ChangingSecret,
        _ keyRange: Range<Int>,
        _ nonce: UInt64,
        isSealing: Bool
    ) -> Bool {
        guard keyRange.count == ChaCha20Poly1305.keyByteCount, keys.contains(32, at: keyRange.lowerBound) else {
            return false
        }
        // Four bytes of zeros, then the number.
        var nonce = (UInt32(0), UInt32(truncatingIfNeeded: nonce).littleEndian, UInt32(nonce >> 32).littleEndian)
        return unsafe withUnsafeBytes(of: &nonce) { nonce in
            let nonce = unsafe nonce.bindMemory(to: UInt8.self).baseAddress
            // Safe: the key has 32 bytes and the nonce 12.
            return unsafe keys.read(ChaCha20Poly1305.keyByteCount, at: keyRange.lowerBound) { key in
                isSealing
                    ? unsafe EVP_EncryptInit_ex2(context, nil, key, nonce, nil) == 1
                    : unsafe EVP_DecryptInit_ex2(context, nil, key, nonce, nil) == 1
            }
        }
    }

    private mutating func add(_ authenticated: RawSpan, isSealing: Bool) -> Bool {
        guard !authenticated.isEmpty else { return true }
        guard let count = Int32(exactly: authenticated.byteCount) else { return false }
        return unsafe authenticated.withUnsafeBytes {
            let start = unsafe $0.bindMemory(to: UInt8.self).baseAddress
            var written: Int32 = 0
            // Safe: libcrypto reads `count` bytes, and writes nothing without a place to write to.
            return isSealing
                ? unsafe EVP_EncryptUpdate(context, nil, &written, start, count) == 1
                : unsafe EVP_DecryptUpdate(context, nil, &written, start, count) == 1
        }
    }

    /// Puts zeros where the key was.
    private mutating func forgetKey() {
        let zeros = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
        unsafe withUnsafeBytes(of: zeros) {
            // Safe: 32 bytes.
            _ = unsafe EVP_EncryptInit_ex2(context, nil, $0.bindMemory(to: UInt8.self).baseAddress, nil, nil)
        }
    }
}
