import CSodium

/// Secret bytes that change while they are held, as the keys of a handshake do from message to message: locked memory
/// as that of `Secret`, but never read-only, because each change would cost two system calls more.
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

    /// Copies bytes that lie in a secret already, or are none.
    ///
    /// - Parameter offset: where they go.
    package mutating func copy(_ source: RawSpan, at offset: Int) {
        // Safe: the bytes fit, and memory of others is no part of this.
        unsafe write(source.byteCount, at: offset) { place in
            unsafe source.withUnsafeBytes {
                unsafe UnsafeMutableRawBufferPointer(start: place, count: $0.count).copyMemory(from: $0)
            }
        }
    }

    /// Moves bytes, and leaves zeros where they were.
    package mutating func move(_ source: Range<Int>, to offset: Int) {
        // Safe: both places lie in the memory.
        let from = unsafe write(source.count, at: source.lowerBound) { unsafe $0 }
        unsafe write(source.count, at: offset) { place in
            unsafe UnsafeMutableRawPointer(place).copyMemory(from: from, byteCount: source.count)
            unsafe sodium_memzero(from, source.count)
        }
    }

    /// Puts zeros where something was.
    package mutating func wipe(_ range: Range<Int>) {
        // Safe: the range lies in the memory.
        unsafe write(range.count, at: range.lowerBound) { unsafe sodium_memzero($0, range.count) }
    }

    /// Whether some bytes lie in the memory. Which key lies where is written in the program, and in nothing that
    /// arrives: what reaches outside is our error, and passing over it would leave an old key in a new one's place.
    func contains(_ count: Int, at offset: Int) -> Bool {
        count >= 0 && offset >= 0 && count <= byteCount && offset <= byteCount - count
    }

    // MARK: For the functions of C libraries

    /// Lends a pointer to `count` bytes at `offset`.
    func read<Result>(_ count: Int, at offset: Int, _ body: (UnsafePointer<UInt8>) -> Result) -> Result {
        precondition(contains(count, at: offset), "a key outside its memory")
        // Safe: the bytes lie in the memory, as checked on the line above, which `self` keeps during the call.
        return unsafe body(UnsafePointer((start + offset).assumingMemoryBound(to: UInt8.self)))
    }

    /// The same to write there.
    mutating func write<Result>(
        _ count: Int,
        at offset: Int,
        _ body: (UnsafeMutablePointer<UInt8>) -> Result
    ) -> Result {
        precondition(contains(count, at: offset), "a key outside its memory")
        // Safe: as above.
        return unsafe body((start + offset).assumingMemoryBound(to: UInt8.self))
    }
}
