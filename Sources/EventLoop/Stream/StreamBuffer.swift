/// Bytes in the order they came, between a socket and its reader or writer: raw memory that grows only as far as a frame
/// may be long.
///
/// Confined to the loop thread.
package final class StreamBuffer {
    /// Enough for a few hundred control messages in one `readv`.
    package static let usualCapacity = 16_384

    /// What it begins with, and goes back to.
    private let capacity: Int
    private var memory: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0

    package init(capacity: Int = StreamBuffer.usualCapacity) {
        self.capacity = capacity
        memory = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { memory.deallocate() }

    package var count: Int { end - start }

    /// The unread bytes. The pointer is valid until the next mutating call.
    package var unread: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: memory[start..<end])
    }

    /// The unread bytes, to be deciphered in their place. The pointer is valid until the next mutating call.
    package var mutableUnread: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: memory[start..<end])
    }

    /// Free room for at most `limit` bytes behind the unread ones.
    package func room(limit: Int) -> UnsafeMutableRawBufferPointer {
        compact()
        return UnsafeMutableRawBufferPointer(rebasing: memory[end..<end + min(max(0, limit), memory.count - end)])
    }

    /// Makes room for a frame of `total` bytes.
    package func reserve(_ total: Int) {
        guard total > memory.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: total, alignment: 16)
        larger.copyMemory(from: unread)
        memory.deallocate()
        memory = larger
        end = count
        start = 0
    }

    /// Says that so many bytes were written into the room.
    package func arrived(_ byteCount: Int) { end += byteCount }

    /// Copies bytes behind the unread ones, whatever room that takes.
    package func append(_ bytes: UnsafeRawBufferPointer) {
        reserve(count + bytes.count)
        room(limit: bytes.count).copyMemory(from: bytes)
        arrived(bytes.count)
    }

    package func consume(_ byteCount: Int) {
        start += byteCount
        if start == end {
            start = 0
            end = 0
            // A frame of a megabyte is rare: do not keep its memory for every peer.
            if memory.count > 4 * capacity { shrink() }
        }
    }

    private func compact() {
        guard start > 0 else { return }
        let unread = count
        if unread > 0, let base = memory.baseAddress {
            base.copyMemory(from: base + start, byteCount: unread)
        }
        start = 0
        end = unread
    }

    private func shrink() {
        memory.deallocate()
        memory = .allocate(byteCount: capacity, alignment: 16)
    }
}
