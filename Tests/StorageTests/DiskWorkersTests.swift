import Metainfo
import Primitives
import Synchronization
import Testing

@testable import Storage

@Suite("DiskWorkers", .timeLimit(.minutes(1)))
struct DiskWorkersTests {
    @Test("results come back on the loop, many per wake-up")
    func batches() throws {
        let wakeUps = Mutex(0)
        let woken = Semaphore()
        let workers = try DiskWorkers(count: 1) {
            wakeUps.withLock { $0 += 1 }
            woken.signal()
        }
        var results: [Int] = []
        for number in 0..<100 {
            workers.submit {
                number * 2
            } then: {
                results.append($0)
            }
        }
        #expect(workers.pendingCount == 100)
        #expect(results.isEmpty)
        workers.shutDown()
        #expect(workers.drainCompletions() == 100)
        #expect(results == (0..<100).map { $0 * 2 })
        #expect(wakeUps.withLock { $0 } == 1)
        #expect(workers.pendingCount == 0)
    }

    @Test("a new batch wakes the loop again")
    func wakesAgain() throws {
        let woken = Semaphore()
        let workers = try DiskWorkers(count: 2) { woken.signal() }
        var sum = 0
        for round in 1...3 {
            workers.submit {
                round
            } then: {
                sum += $0
            }
            woken.wait()
            #expect(workers.drainCompletions() == 1)
        }
        #expect(sum == 6)
    }

    @Test("prompt jobs pass bulk ones, and each kind keeps its order")
    func priorities() throws {
        let gate = Semaphore()
        let started = Semaphore()
        let workers = try DiskWorkers(count: 1) {}
        var order: [String] = []
        workers.submit {
            started.signal()
            gate.wait()
        } then: {
            order.append("first")
        }
        started.wait()
        for name in ["bulk 1", "bulk 2"] {
            workers.submit(.bulk) {
                name
            } then: {
                order.append($0)
            }
        }
        for name in ["prompt 1", "prompt 2"] {
            workers.submit {
                name
            } then: {
                order.append($0)
            }
        }
        gate.signal()
        workers.shutDown()
        workers.drainCompletions()
        #expect(order == ["first", "prompt 1", "prompt 2", "bulk 1", "bulk 2"])
    }

    @Test("shutting down finishes queued writes and takes no new ones")
    func shutDown() throws {
        let fixture = try Fixture([("a", 500_000)])
        let set = fixture.fileSet()
        let workers = try DiskWorkers(count: 2) {}
        let pool = BufferPool(budget: 1 << 20)
        for piece in 0..<fixture.layout.pieceCount {
            let buffer = try #require(pool.buffer(capacity: 16_384))
            buffer.copy(fixture.piece(piece).span.bytes, to: 0)
            workers.submit(.bulk) {
                (try? set.write(piece: piece, from: buffer)) != nil
            } then: {
                #expect($0)
            }
        }
        workers.shutDown()
        #expect(fixture.folder.contents("a") == fixture.bytes)
        #expect(
            workers.submit {
                1
            } then: { _ in
                Issue.record("ran after the end")
            } == false
        )
        #expect(workers.drainCompletions() == fixture.layout.pieceCount)
    }

    @Test("a completion may submit the next job")
    func chain() throws {
        let woken = Semaphore()
        let workers = try DiskWorkers(count: 2) { woken.signal() }
        var values: [Int] = []
        func next(_ value: Int) {
            workers.submit {
                value + 1
            } then: { result in
                values.append(result)
                if result < 5 { next(result) }
            }
        }
        next(0)
        while values.count < 5 {
            woken.wait()
            workers.drainCompletions()
        }
        #expect(values == [1, 2, 3, 4, 5])
    }

    @Test("a job lets go of its buffer before its completion runs")
    func bufferIsFree() throws {
        let woken = Semaphore()
        let workers = try DiskWorkers(count: 1) { woken.signal() }
        let pool = BufferPool(budget: 4096)
        func submit() throws {
            let buffer = try #require(pool.buffer(capacity: 4096))
            workers.submit {
                buffer.capacity
            } then: { _ in
                #expect(pool.bytesInUse == 0)
            }
        }
        for _ in 0..<200 {
            try submit()
            woken.wait()
            workers.drainCompletions()
        }
        #expect(pool.freshCount == 1)
    }
}

@Suite("BufferPool")
struct BufferPoolTests {
    @Test("memory that came back is used again, the last returned first")
    func reuse() throws {
        let pool = BufferPool(budget: 1 << 20)
        for round in 0..<10 {
            let first = try #require(pool.buffer(capacity: 16_384))
            let second = try #require(pool.buffer(capacity: 16_384))
            first.copy([UInt8(round)].span.bytes, to: 0)
            #expect(first !== second)
        }
        #expect(pool.freshCount == 2)
        #expect(pool.bytesInUse == 0 && pool.bytesAllocated == 32_768)
    }

    @Test("the budget holds until a buffer comes back")
    func budget() throws {
        let pool = BufferPool(budget: 8192)
        var held = [pool.buffer(capacity: 4096), pool.buffer(capacity: 100)]
        #expect(held.allSatisfy { $0?.capacity == 4096 })
        #expect(pool.buffer(capacity: 1) == nil)
        held.removeLast()
        #expect(pool.buffer(capacity: 1) != nil)
    }

    @Test("idle buffers of another size make room, and one buffer above the budget is granted and not kept")
    func sizes() throws {
        let pool = BufferPool(budget: 8192)
        do { _ = (pool.buffer(capacity: 4096), pool.buffer(capacity: 4096)) }
        do {
            let large = try #require(pool.buffer(capacity: 65_536))
            #expect(large.capacity == 65_536 && pool.bytesAllocated == 65_536)
            #expect(pool.buffer(capacity: 4096) == nil)
        }
        #expect(pool.bytesAllocated == 0)
    }

    @Test("a range outside the buffer is cut off")
    func ranges() {
        let buffer = PieceBuffer(capacity: 5000)
        #expect(buffer.capacity == 8192)
        buffer.copy(([1, 2, 3] as [UInt8]).span.bytes, to: 8190)
        #expect(buffer.withBytes(8190..<9000) { $0.copied } == [1, 2])
        #expect(UInt(bitPattern: buffer.mutableBytes(0..<1).baseAddress) % 4096 == 0)
    }
}
