import CSodium

/// Comparison for what a stranger may not guess byte by byte: `==` ends at the first difference, and how long it took
/// tells where that was.
///
/// Keys, tags and tokens that are secret are compared here. Two machine words need nothing of the kind: a processor
/// compares them at once (the tokens of the DHT are such words), and what is public has nothing to tell.
package enum ConstantTime {
    /// Whether both have the same bytes, in a time that depends on their count alone; the count is no secret.
    package static func areEqual(_ left: RawSpan, _ right: RawSpan) -> Bool {
        guard left.byteCount == right.byteCount else { return false }
        // Safe: both buffers have as many bytes as libsodium is told to read.
        return unsafe left.withUnsafeBytes { left in
            unsafe right.withUnsafeBytes { right in
                guard let first = left.baseAddress, let second = right.baseAddress else { return true }
                return unsafe sodium_memcmp(first, second, left.count) == 0
            }
        }
    }
}
