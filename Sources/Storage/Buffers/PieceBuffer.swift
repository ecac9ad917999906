/// Memory for one piece, or for a slice of one, aligned to pages.
///
/// Goes back to its pool when the last reference to it goes: a job that is dropped half-way leaks nothing.
// Safe to send: a buffer has one user at a time. The loop fills it from the socket, hands it to a disk worker together
// with the job, and touches it again only when the job's completion hands it back; the queue between them orders the
// accesses. The pointer and the capacity never change.
package final class PieceBuffer: @unchecked Sendable {
    static let pageSize = 4096

    /// In bytes, a multiple of the page size.
    package let capacity: Int
    private let base: UnsafeMutableRawPointer
    private let pool: BufferPool?

    /// Memory of its own, outside any pool.
    package convenience init(capacity: Int) {
        let capacity = PieceBuffer.rounded(capacity)
        self.init(base: PieceBuffer.allocate(capacity), capacity: capacity, pool: nil)
    }

    init(base: UnsafeMutableRawPointer, capacity: Int, pool: BufferPool?) {
        self.base = base
        self.capacity = capacity
        self.pool = pool
    }

    deinit {
        if let pool { pool.reclaim(base, capacity: capacity) } else { base.deallocate() }
    }

    /// Part of the memory, for a system call; the part of the range outside the buffer is cut off.
    ///
    /// The pointer is valid while the buffer is referenced.
    package func mutableBytes(_ range: Range<Int>) -> UnsafeMutableRawBufferPointer {
        let range = range.clamped(to: 0..<capacity)
        return UnsafeMutableRawBufferPointer(start: base + range.lowerBound, count: range.count)
    }

    /// Reads part of the memory in place; the part of the range outside the buffer is cut off.
    package func withBytes<Result: ~Copyable, Failure: Error>(
        _ range: Range<Int>,
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // Safe: `self` lives until the body returns, and with it the memory.
        try body(UnsafeRawBufferPointer(mutableBytes(range)).bytes)
    }

    /// Copies bytes in; what does not fit is left out.
    package func copy(_ bytes: RawSpan, to offset: Int) {
        bytes.withUnsafeBytes { mutableBytes(offset..<max(offset, offset + $0.count)).copyFitting($0) }
    }

    static func rounded(_ capacity: Int) -> Int { max(1, (capacity + pageSize - 1) / pageSize) * pageSize }

    static func allocate(_ capacity: Int) -> UnsafeMutableRawPointer {
        .allocate(byteCount: capacity, alignment: pageSize)
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func copyFitting(_ bytes: UnsafeRawBufferPointer) {
        copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.prefix(count)))
    }
}
