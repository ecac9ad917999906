import CSodium

/// Secret numbers that live for the microseconds of one computation, on the stack, and leave nothing there.
///
/// A `Secret` costs some ten system calls, which a signature would pay for each number that it passes through: ten times
/// what it takes otherwise, and others may ask for a hundred signatures a second.
enum PassingSecret {
    /// Deeper than any of the functions of libsodium that are called here reaches. Not all of them wipe what they used: in
    /// 1.0.18 the addition of scalars leaves its sum.
    private static let stackDepth = 16 << 10

    /// Lends room for `byteCount` bytes, and wipes them and the stack that was used meanwhile.
    static func lend<Result>(byteCount: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Result?) -> Result? {
        wipingStack {
            unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: byteCount) { room -> Result? in
                guard let start = room.baseAddress else { return nil }
                // Safe: the room has `byteCount` bytes, and ends after them.
                defer { unsafe sodium_memzero(start, byteCount) }
                return unsafe body(start)
            }
        }
    }

    /// Wipes the stack that `body` used.
    @inline(never)
    static func wipingStack<Result>(_ body: () -> Result) -> Result {
        defer { sodium_stackzero(stackDepth) }
        return body()
    }
}
