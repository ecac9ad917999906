import EventLoop
import Glibc
import Testing

@Suite("Stream buffer")
struct StreamBufferTests {
    private static func fill(_ buffer: StreamBuffer, _ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let room = buffer.room(limit: rest.count)
            room.copyBytes(from: rest.prefix(room.count))
            buffer.arrived(room.count)
            rest = rest.dropFirst(room.count)
        }
    }

    @Test("bytes come out in order while the front is consumed")
    func order() {
        let buffer = StreamBuffer()
        StreamBufferTests.fill(buffer, [1, 2, 3, 4])
        buffer.consume(3)
        StreamBufferTests.fill(buffer, [5, 6])
        #expect(Array(buffer.unread) == [4, 5, 6])
        #expect(buffer.count == 3)
    }

    @Test("room behind unread bytes is counted without overflow", arguments: [Int.max, Int.max - 1, 1 << 40])
    func unlimitedRoom(limit: Int) {
        let buffer = StreamBuffer()
        StreamBufferTests.fill(buffer, [1, 2])
        #expect(buffer.room(limit: limit).count == StreamBuffer.usualCapacity - 2)
    }

    @Test("no room is given for nothing", arguments: [0, -1, Int.min])
    func noRoom(limit: Int) {
        #expect(StreamBuffer().room(limit: limit).isEmpty)
    }

    @Test("a full buffer has no room until something is consumed or reserved")
    func full() {
        let buffer = StreamBuffer()
        StreamBufferTests.fill(buffer, [UInt8](repeating: 7, count: StreamBuffer.usualCapacity))
        #expect(buffer.room(limit: 1).isEmpty)
        buffer.consume(1)
        #expect(buffer.room(limit: 10).count == 1)
    }

    @Test("reserving keeps what is unread, also when the front was consumed")
    func reserve() {
        let buffer = StreamBuffer()
        StreamBufferTests.fill(buffer, [1, 2, 3])
        buffer.consume(1)
        buffer.reserve(100_000)
        #expect(Array(buffer.unread) == [2, 3])
        #expect(buffer.room(limit: .max).count == 100_000 - 2)
    }

    @Test("what is appended makes its own room, and can be changed in its place", arguments: [0, 1, 16_384, 70_000])
    func append(byteCount: Int) {
        let buffer = StreamBuffer(capacity: 64)
        StreamBufferTests.fill(buffer, [1, 2, 3])
        buffer.consume(1)
        let bytes = [UInt8](repeating: 7, count: byteCount)
        bytes.withUnsafeBytes { buffer.append($0) }
        #expect(Array(buffer.unread) == [2, 3] + bytes)
        buffer.mutableUnread[1] = 9
        #expect(Array(buffer.unread.prefix(2)) == [2, 9])
    }

    @Test("the memory of a large frame is given back once the frame is read")
    func shrinks() {
        let buffer = StreamBuffer()
        buffer.reserve(1 << 20)
        StreamBufferTests.fill(buffer, [UInt8](repeating: 1, count: 1 << 20))
        buffer.consume((1 << 20) - 1)
        #expect(Array(buffer.unread) == [1])
        buffer.consume(1)
        #expect(buffer.count == 0)
        #expect(buffer.room(limit: .max).count == StreamBuffer.usualCapacity)
    }
}

@Suite("Send queue")
struct SendQueueTests {
    /// Memory that says when it goes.
    private final class Owner {
        let memory: UnsafeMutableRawBufferPointer
        init(_ bytes: [UInt8]) {
            memory = .allocate(byteCount: bytes.count, alignment: 1)
            memory.copyBytes(from: bytes)
        }
        deinit { memory.deallocate() }
    }

    /// Takes at most `limit` bytes from the front, as a socket would.
    private static func take(_ limit: Int, of queue: SendQueue) -> [UInt8] {
        let bytes = queue.withVectors(limit: limit) { vectors in
            vectors.flatMap { Array(UnsafeRawBufferPointer(start: $0.iov_base, count: $0.iov_len)) }
        }
        queue.sent(bytes.count)
        return bytes
    }

    @Test("messages that follow each other leave in one vector")
    func joins() {
        let queue = SendQueue()
        queue.append([1, 2])
        queue.append([])
        queue.append([3])
        #expect(queue.withVectors(limit: .max) { $0.map(\.iov_len) } == [3])
        #expect(queue.byteCount == 3)
    }

    @Test("headers and payloads keep their order, whatever each write takes", arguments: [1, 2, 3, 5, 7, 1000])
    func order(step: Int) {
        let queue = SendQueue()
        var expected: [UInt8] = []
        for index in 0..<40 {
            let header = [UInt8(index), 1]
            let owner = Owner([UInt8](repeating: UInt8(index), count: 5))
            queue.append(header)
            queue.append(UnsafeRawBufferPointer(owner.memory), owner: owner)
            expected += header + [UInt8](repeating: UInt8(index), count: 5)
        }
        var sent: [UInt8] = []
        while !queue.isEmpty { sent += SendQueueTests.take(step, of: queue) }
        #expect(sent == expected)
    }

    @Test("a limit cuts inside a segment")
    func limit() {
        let queue = SendQueue()
        queue.append([1, 2, 3, 4])
        #expect(queue.withVectors(limit: 3) { $0.map(\.iov_len) } == [3])
        #expect(queue.withVectors(limit: 0) { $0.count } == 0)
    }

    @Test("one write takes at most 64 vectors")
    func vectors() {
        let queue = SendQueue()
        for _ in 0..<100 {
            let owner = Owner([1])
            queue.append(UnsafeRawBufferPointer(owner.memory), owner: owner)
        }
        #expect(queue.withVectors(limit: .max) { $0.count } == 64)
    }

    @Test("what was sent is let go of, also while the rest of a long queue waits")
    func releases() {
        let queue = SendQueue()
        weak var first: Owner?
        do {
            let owner = Owner([1, 2, 3])
            first = owner
            queue.append(UnsafeRawBufferPointer(owner.memory), owner: owner)
        }
        queue.append([UInt8](repeating: 0, count: 10_000))
        #expect(first != nil)
        _ = SendQueueTests.take(3, of: queue)
        #expect(first == nil)
        #expect(queue.byteCount == 10_000)
    }

    @Test("a chunk that was used up is not written again before all of it was sent")
    func chunks() {
        let queue = SendQueue()
        var expected: [UInt8] = []
        var sent: [UInt8] = []
        for round in 0..<500 {
            let message = [UInt8](repeating: UInt8(round % 251), count: 37)
            queue.append(message)
            expected += message
            sent += SendQueueTests.take(30, of: queue)
        }
        while !queue.isEmpty { sent += SendQueueTests.take(4096, of: queue) }
        #expect(sent == expected)
    }
}
