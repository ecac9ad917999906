package import Glibc

/// What waits to be sent on one connection, in order: small messages, and blocks in the buffers they were read into.
///
/// Nothing is copied or joined for the kernel: one `writev` takes headers and payloads from where they are.
/// Confined to the loop thread.
package final class SendQueue {
    private struct Segment {
        var pointer: UnsafeRawPointer
        var count: Int
        /// Keeps the memory alive until it was sent.
        var owner: AnyObject?
    }

    /// Memory for small messages; a new one is begun when it is full.
    private final class Chunk {
        static let capacity = 4096
        let memory: UnsafeMutableRawBufferPointer
        var used = 0

        init(atLeast byteCount: Int) {
            memory = .allocate(byteCount: max(byteCount, Chunk.capacity), alignment: 16)
        }

        deinit { memory.deallocate() }
    }

    /// As many as one system call takes with profit: 32 blocks with their headers.
    static let maximumVectorCount = 64

    private var segments: [Segment] = []
    private var first = 0
    private var chunk: Chunk?
    package private(set) var byteCount = 0

    package init() {}

    package var isEmpty: Bool { byteCount == 0 }

    /// Queues a message by copying it.
    package func append(_ message: [UInt8]) {
        guard !message.isEmpty else { return }
        if chunk == nil || (chunk?.used ?? 0) + message.count > (chunk?.memory.count ?? 0) {
            chunk = Chunk(atLeast: message.count)
        }
        guard let chunk, let base = chunk.memory.baseAddress else { return }
        let target = base + chunk.used
        message.withUnsafeBytes { source in
            if let address = source.baseAddress { target.copyMemory(from: address, byteCount: source.count) }
        }
        chunk.used += message.count
        byteCount += message.count
        // Messages that follow each other in one chunk are one segment.
        if let last = segments.last, last.owner === chunk, last.pointer + last.count == UnsafeRawPointer(target) {
            segments[segments.count - 1].count += message.count
        } else {
            segments.append(Segment(pointer: UnsafeRawPointer(target), count: message.count, owner: chunk))
        }
    }

    /// Queues memory that `owner` keeps alive.
    package func append(_ memory: UnsafeRawBufferPointer, owner: AnyObject) {
        guard let pointer = memory.baseAddress, memory.count > 0 else { return }
        segments.append(Segment(pointer: pointer, count: memory.count, owner: owner))
        byteCount += memory.count
    }

    /// Calls `body` with the next vectors to write.
    package func withVectors<R>(limit: Int, _ body: (UnsafeBufferPointer<iovec>) -> R) -> R {
        withUnsafeTemporaryAllocation(of: iovec.self, capacity: SendQueue.maximumVectorCount) { vectors in
            var used = 0
            var room = limit
            var index = first
            while index < segments.count, used < SendQueue.maximumVectorCount, room > 0 {
                let length = min(segments[index].count, room)
                // Safe: writev only reads through the pointer.
                let base = UnsafeMutableRawPointer(mutating: segments[index].pointer)
                vectors.initializeElement(at: used, to: iovec(iov_base: base, iov_len: length))
                room -= length
                used += 1
                index += 1
            }
            return body(UnsafeBufferPointer(rebasing: vectors[..<used]))
        }
    }

    /// Drops what was sent.
    package func sent(_ count: Int) {
        byteCount -= count
        var left = count
        while left > 0, first < segments.count {
            let length = segments[first].count
            if left < length {
                segments[first].pointer += left
                segments[first].count -= left
                left = 0
            } else {
                left -= length
                // Its buffer is wanted elsewhere long before the rest of the queue has left.
                segments[first].owner = nil
                first += 1
            }
        }
        if first == segments.count {
            segments.removeAll(keepingCapacity: true)
            first = 0
            if let chunk, chunk.memory.count > Chunk.capacity { self.chunk = nil } else { chunk?.used = 0 }
        } else if first >= 256 {
            segments.removeFirst(first)
            first = 0
        }
    }
}
