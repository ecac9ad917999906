import CSodium
import Primitives

/// Secret bytes in memory that is locked, guarded, left out of core dumps, read-only once filled, and wiped at the end.
///
/// They never pass through an `Array`: its copies would stay behind in memory that nobody wipes.
///
/// Every secret takes a page of its own, between pages that nobody may touch. Where the system locks no more of them
/// for us (`ulimit -l`, 2048 secrets where it is 8 MiB) a secret is made all the same, and all but the lock holds for
/// it: it may be written to a swap device, and is still left out of dumps. A node without a key would be the worse
/// choice.
package final class Secret: Sendable {
    package let byteCount: Int
    // Safe: the memory is written in `init` alone and freed in `deinit` alone.
    private nonisolated(unsafe) let start: UnsafeMutablePointer<UInt8>

    /// libsodium chooses its implementations and the canary of its guarded memory once.
    static let isReady = sodium_init() >= 0

    /// Fills new locked memory.
    ///
    /// - Parameters:
    ///   - byteCount: more than none.
    ///   - write: writes the secret over zeros; an error that it throws leaves nothing behind.
    /// - Returns: `nil` where the system has no more memory for us.
    package init?<Failure: Error>(
        byteCount: Int,
        _ write: (inout MutableRawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        guard byteCount > 0, Secret.isReady, let memory = unsafe sodium_malloc(byteCount) else { return nil }
        self.byteCount = byteCount
        unsafe start = memory.bindMemory(to: UInt8.self, capacity: byteCount)
        unsafe sodium_memzero(memory, byteCount)
        // Safe: the memory has `byteCount` bytes, and nobody else knows it yet.
        var span = unsafe MutableRawSpan(_unsafeStart: memory, byteCount: byteCount)
        try write(&span)
        _ = unsafe sodium_mprotect_readonly(memory)
    }

    deinit {
        // Safe: allocated by `sodium_malloc`, and freed once; libsodium wipes it first.
        unsafe sodium_free(start)
    }

    /// Copies bytes that lie in a secret already, or are none (test vectors).
    package convenience init?(_ bytes: RawSpan) {
        // Safe: both buffers have `bytes.byteCount` bytes, and the new one overlaps nothing.
        unsafe self.init(
            byteCount: bytes.byteCount,
            writing: { start in
                unsafe bytes.withUnsafeBytes {
                    unsafe UnsafeMutableRawBufferPointer(start: start, count: $0.count).copyMemory(from: $0)
                }
            }
        )
    }

    /// Random bytes of the operating system.
    package static func random(byteCount: Int) -> Secret? {
        // Safe: libsodium writes `byteCount` bytes.
        unsafe Secret(byteCount: byteCount, writing: { unsafe randombytes_buf($0, byteCount) })
    }

    /// What is copied out of here is no longer protected.
    package var bytes: RawSpan {
        @_lifetime(borrow self) get {
            // Safe: the memory lives as long as `self`, which the span borrows.
            let span = unsafe RawSpan(_unsafeStart: start, byteCount: byteCount)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    // MARK: For libsodium's functions

    /// Fills new memory through a pointer to exactly `byteCount` bytes.
    convenience init?(byteCount: Int, writing write: (UnsafeMutablePointer<UInt8>) -> Void) {
        self.init(byteCount: byteCount) { span in
            // Safe: a span of some bytes has a first one.
            unsafe span.withUnsafeMutableBytes {
                if let start = unsafe $0.bindMemory(to: UInt8.self).baseAddress { unsafe write(start) }
            }
        }
    }

    /// Lends a pointer to exactly `byteCount` bytes.
    func read<Result>(_ body: (UnsafePointer<UInt8>) -> Result) -> Result {
        // Safe: `self` keeps the memory during the call.
        withExtendedLifetime(self) { unsafe body(start) }
    }
}
