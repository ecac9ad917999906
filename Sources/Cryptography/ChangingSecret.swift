import CSodium

/// Secret bytes that change while they are held, as the keys of a handshake do from message to message: locked memory as
/// that of `Secret`, but never read-only, because each change would cost two system calls more.
package struct ChangingSecret: ~Copyable {
    package let byteCount: Int
    private let start: UnsafeMutableRawPointer

    /// Zeros.
    ///
    /// - Parameter byteCount: more than none.
    /// - Returns: `nil` where the system has no more memory for us.
    package init?(byteCount: Int) {
        guard byteCount > 0, Secret.isReady, let memory = unsafe sodium_malloc(byteCount) else { return nil }
        self.byteCount = byteCount
        unsafe start = memory
        unsafe sodium_memzero(memory, byteCount)
    }

    deinit {
        // Safe: allocated by `sodium_malloc`, and freed once; libsodium wipes it first.
        unsafe sodium_free(start)
    }

    /// What is copied out of here is no longer protected.
    package var bytes: RawSpan {
        @_lifetime(borrow self) get {
            // Safe: the memory lives as long as `self`, which the span borrows.
            let span = unsafe RawSpan(_unsafeStart: start, byteCount: byteCount)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    package var mutableBytes: MutableRawSpan {
        @_lifetime(&self) mutating get {
            // Safe: the memory lives as long as `self`, to which the span has the only access.
            let span = unsafe MutableRawSpan(_unsafeStart: start, byteCount: byteCount)
            return unsafe _overrideLifetime(span, mutating: &self)
        }
    }
}
