import CSodium

/// Keys out of a key and what two parties agreed on: HKDF (RFC 5869) with HMAC-SHA256 (RFC 2104) and no `info`.
package enum HKDF {
    package static let keyByteCount = 32

    /// Replaces the first `keyCount` keys by what is derived from the very first, as salt, and `input`.
    ///
    /// - Parameters:
    ///   - keys: keys of 32 bytes one after the other.
    ///   - keyCount: 1 to 255, and no more than there is room for.
    ///   - input: what was agreed on, which may be nothing; no part of `keys`.
    package static func advance(_ keys: inout MutableRawSpan, keyCount: Int, with input: RawSpan) {
        precondition((1...255).contains(keyCount) && keyCount * keyByteCount <= keys.byteCount)
        unsafe keys.withUnsafeMutableBytes { keys in
            unsafe input.withUnsafeBytes { input in
                let input = unsafe input.bindMemory(to: UInt8.self)
                guard let first = unsafe keys.bindMemory(to: UInt8.self).baseAddress else { return }
                // Safe: `keys` has room for the keys that it is told of, and the lent one ends with the closure.
                unsafe PassingSecret.lend(byteCount: keyByteCount) { extracted in
                    unsafe authenticate(key: first, [input], into: extracted)
                    var last = unsafe UnsafeBufferPointer<UInt8>(start: first, count: 0)
                    for number in 1...keyCount {
                        let output = unsafe first + (number - 1) * keyByteCount
                        var counter = UInt8(truncatingIfNeeded: number)
                        unsafe withUnsafePointer(to: &counter) {
                            let counter = unsafe UnsafeBufferPointer(start: $0, count: 1)
                            unsafe authenticate(key: extracted, [last, counter], into: output)
                        }
                        unsafe last = UnsafeBufferPointer(start: output, count: keyByteCount)
                    }
                }
            }
        }
    }

    /// HMAC-SHA256 with a key of 32 bytes. libsodium wipes its state itself.
    private static func authenticate(
        key: UnsafePointer<UInt8>,
        _ parts: [UnsafeBufferPointer<UInt8>],
        into code: UnsafeMutablePointer<UInt8>
    ) {
        var state = crypto_auth_hmacsha256_state()
        // Safe: the key has 32 bytes, each part as many as it says, and the caller has room for 32.
        unsafe crypto_auth_hmacsha256_init(&state, key, keyByteCount)
        for part in unsafe parts {
            unsafe crypto_auth_hmacsha256_update(&state, part.baseAddress, UInt64(part.count))
        }
        unsafe crypto_auth_hmacsha256_final(&state, code)
    }
}
