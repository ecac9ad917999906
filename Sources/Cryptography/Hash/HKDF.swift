import CSodium

/// Keys out of a key and what two parties agreed on: HKDF (RFC 5869) with HMAC-SHA256 (RFC 2104) and no `info`.
package enum HKDF {
    package static let keyByteCount = 32

    /// Replaces the first `keyCount` keys in `memory` by what is derived from the very first, as salt, and an input.
    ///
    /// - Parameters:
    ///   - memory: keys of 32 bytes one after the other, from its start on.
    ///   - keyCount: 1 to 255, and no more than there is room for.
    ///   - input: where in the memory lies what was agreed on; it may be nothing, and may be overwritten.
    package static func advance(_ memory: inout ChangingSecret, keyCount: Int, with input: Range<Int>) {
        precondition((1...255).contains(keyCount))
        // Safe: the memory has room for the keys, and the input lies in it; the lent key ends with its closure.
        let start = unsafe memory.read(input.count, at: input.lowerBound) { unsafe $0 }
        let input = unsafe Part(start: start, count: input.count)
        unsafe memory.write(keyCount * keyByteCount, at: 0) { keys in
            // The room is always lent: it lies on the stack.
            _ = unsafe PassingSecret.lend(byteCount: keyByteCount) { extracted in
                unsafe authenticate(key: keys, input, nil, into: extracted)
                unsafe expand(extracted, into: keys, keyCount)
            }
        }
    }

    private typealias Part = UnsafeBufferPointer<UInt8>

    private static func expand(
        _ key: UnsafePointer<UInt8>,
        into outputs: UnsafeMutablePointer<UInt8>,
        _ count: Int
    ) {
        for number in 1...count {
            // Safe: the caller has room for `count` outputs, and each but the first has one before it.
            let output = unsafe outputs + (number - 1) * keyByteCount
            let last =
                unsafe number == 1
                ? Part(start: nil, count: 0) : Part(start: output - keyByteCount, count: keyByteCount)
            unsafe authenticate(key: key, last, UInt8(truncatingIfNeeded: number), into: output)
        }
    }

    /// HMAC-SHA256 with a key of 32 bytes. libsodium wipes its state itself.
    private static func authenticate(
        key: UnsafePointer<UInt8>,
        _ text: Part,
        _ last: UInt8?,
        into code: UnsafeMutablePointer<UInt8>
    ) {
        var state = crypto_auth_hmacsha256_state()
        // Safe: the key has 32 bytes, the text as many as it says, and the caller has room for 32.
        unsafe crypto_auth_hmacsha256_init(&state, key, keyByteCount)
        unsafe crypto_auth_hmacsha256_update(&state, text.baseAddress, UInt64(text.count))
        if var last { unsafe crypto_auth_hmacsha256_update(&state, &last, 1) }
        unsafe crypto_auth_hmacsha256_final(&state, code)
    }
}
