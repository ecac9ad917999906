import Cryptography
import Primitives
import Testing

@testable import SecurePeer

@Suite("Records")
struct SessionTests {
    @Test(
        "carry any bytes, up to what fits three blocks with their headers and beyond",
        arguments: [0, 1, 16_397, 49_191, 65_518]
    )
    func sizes(count: Int) throws {
        var pair = try Pair()
        var random = SeededRandom(seed: 3)
        let body = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        let record = try pair.alice.says(body)
        #expect(record.count == count + 19)
        #expect(pair.bob.hears(record + [1, 2, 3]) == .data(body, consumed: record.count))
    }

    @Test("are no longer than their length can say")
    func tooLong() throws {
        var pair = try Pair()
        #expect(throws: SecureFault.recordLength(65_536)) {
            _ = try pair.alice.says([UInt8](repeating: 0, count: 65_519))
        }
        // No number was spent on it.
        #expect(pair.bob.hears(try pair.alice.says([1])) == .data([1], consumed: 20))
    }

    @Test("N36: come whole or not at all, at whatever byte the stream ends")
    func pieces() throws {
        var pair = try Pair()
        let record = try pair.alice.says(Array("piece".utf8))
        for count in 0..<record.count {
            #expect(pair.bob.hears(Array(record.prefix(count))) == .nothing)
            #expect(pair.bob.neededByteCount == (count < 2 ? 2 : record.count))
        }
        #expect(pair.bob.hears(record) == .data(Array("piece".utf8), consumed: 24))
    }

    @Test("of padding are passed over, and a close has a reason and perhaps a text")
    func types() throws {
        var pair = try Pair()
        #expect(pair.bob.hears(try pair.alice.says([0, 0, 0], as: .padding)) == .padding(consumed: 22))
        #expect(pair.bob.hears(try pair.alice.says([], as: .padding)) == .padding(consumed: 19))
        #expect(pair.bob.hears(try pair.alice.says([8], as: .close)) == .close(.downgrade, ""))
        let text = String(repeating: "t", count: 128)
        var writer = ByteWriter()
        try pair.bob.closing(.limit, text + "t", into: &writer)
        #expect(pair.alice.hears(writer.bytes) == .close(.limit, text))
    }

    /// The first record of an initiator with any text: also one that no sender of ours makes.
    static func record(of text: [UInt8], by session: borrowing SecureSession) throws -> [UInt8] {
        guard var keys = ChangingSecret(byteCount: 32), var cipher = ChaCha20Poly1305() else {
            throw SecureFault.outOfMemory
        }
        keys.copy(session.keys.memory.bytes.extracting(KeyRoom.Slot.initiator.range), at: 0)
        var record = [0, UInt8(text.count + 16)] + [UInt8](repeating: 0, count: text.count + 16)
        let range = 2..<record.count
        var span = record.mutableSpan
        var room = span.mutableBytes
        let isSealed = cipher.seal(with: keys, 0..<32, nonce: 0, into: &room, range) { $0.append(text.span.bytes) }
        #expect(isSealed)
        return record
    }

    @Test(
        "of unknown types, and closes without a reason, with an unknown one or a long text, end the session",
        arguments: [
            ([0], .data([], consumed: 19)), ([2, 1], .padding(consumed: 20)), ([1, 0], .close(.normal, "")),
            ([1, 3, 27, 0x5b, 0x41, 0x80, 10], .close(.trust, "?[A??")),
            ([3], .fault(.recordType(3))), ([255, 1, 2], .fault(.recordType(255))), ([1], .fault(.malformedClose)),
            ([1, 9], .fault(.malformedClose)), ([1, 255], .fault(.malformedClose)),
            ([1, 8] + [UInt8](repeating: 65, count: 129), .fault(.malformedClose)),
        ] as [([UInt8], Hearing)]
    )
    func texts(text: [UInt8], hearing: Hearing) throws {
        var pair = try Pair()
        #expect(pair.bob.hears(try SessionTests.record(of: text, by: pair.alice)) == hearing)
    }

    @Test("N33: of fewer than 17 bytes are an error", arguments: [0, 1, 16] as [UInt8])
    func tooShort(length: UInt8) throws {
        var pair = try Pair()
        #expect(pair.bob.hears([0, length]) == .fault(.recordLength(Int(length))))
        // And the end: nothing is read any more.
        let record = try pair.alice.says([1])
        #expect(pair.bob.hears(record) == .fault(.recordLength(Int(length))))
    }

    @Test("N33: whose bytes never come are waited for 30 seconds")
    func stalled() throws {
        var pair = try Pair()
        let start = Instant.zero + .seconds(1000)
        #expect(pair.bob.hears([], at: start) == .nothing)
        try pair.bob.advanced(to: start + .seconds(100))
        #expect(pair.bob.hears([0xff], at: start) == .nothing)
        #expect(pair.bob.hears([0xff, 0xff], at: start + .seconds(20)) == .nothing)
        #expect(pair.bob.nextDeadline == start + .seconds(30))
        try pair.bob.advanced(to: start + .milliseconds(29_999))
        #expect(throws: SecureFault.stalled) { try pair.bob.advanced(to: start + .seconds(30)) }
    }

    @Test("that we do not read have all their time when we do: the limit is ours")
    func heldBack() throws {
        var pair = try Pair()
        let record = try pair.alice.says([1])
        pair.bob.heldBack(at: .zero + .seconds(5))
        #expect(pair.bob.nextDeadline == .zero + .seconds(86_400))
        #expect(pair.bob.hears(Array(record.prefix(5)), at: .zero) == .nothing)
        pair.bob.heldBack(at: .zero + .seconds(29))
        try pair.bob.advanced(to: .zero + .seconds(58))
        #expect(throws: SecureFault.stalled) { try pair.bob.advanced(to: .zero + .seconds(59)) }
    }

    @Test("that are whole start the time of the next one afresh")
    func deadlines() throws {
        var pair = try Pair()
        let first = try pair.alice.says([1])
        let second = try pair.alice.says([2])
        let start = Instant.zero
        #expect(pair.bob.hears(Array(first.prefix(5)), at: start) == .nothing)
        let later = start + .seconds(29)
        #expect(pair.bob.hears(first + second.prefix(1), at: later) == .data([1], consumed: 20))
        #expect(pair.bob.hears(Array(second.prefix(1)), at: later) == .nothing)
        #expect(pair.bob.nextDeadline == later + .seconds(30))
        #expect(pair.bob.hears(second, at: later + .seconds(29)) == .data([2], consumed: 20))
        #expect(pair.bob.nextDeadline == .zero + .seconds(86_400))
    }

    @Test(
        "N34: that are replayed, left out, swapped, turned back or changed in any bit end the session",
        arguments: 0..<8
    )
    func attacks(bit: Int) throws {
        func attacked(_ change: (inout [[UInt8]], [UInt8]) -> Void) throws -> [Hearing] {
            var pair = try Pair()
            let own = try pair.bob.says([0])
            var records = try (1...3).map { try pair.alice.says([UInt8($0)]) }
            change(&records, own)
            return records.map { pair.bob.hears($0) }
        }
        let good = (1...3).map { Hearing.data([$0], consumed: 20) }
        let end = Hearing.fault(.tampered)
        #expect(try attacked { _, _ in } == good)
        #expect(try attacked { records, _ in records[1] = records[0] } == [good[0], end, end])
        #expect(try attacked { records, _ in records.remove(at: 1) } == [good[0], end])
        #expect(try attacked { records, _ in records.swapAt(1, 2) } == [good[0], end, end])
        // Our own words are not the other side's.
        #expect(try attacked { records, own in records[0] = own } == [end, end, end])
        for byte in 2..<20 {
            #expect(try attacked { records, _ in records[1][byte] ^= 1 << UInt8(bit) } == [good[0], end, end])
        }
    }

    @Test("N34: with a length that was changed wait, fail at the next record, or are no records")
    func changedLengths() throws {
        for bit in 0..<16 {
            var pair = try Pair()
            var stream = try pair.alice.says([UInt8](repeating: 9, count: 30))
            for _ in 0..<3 { stream += try pair.alice.says([UInt8](repeating: 9, count: 30)) }
            stream[bit / 8] ^= 1 << UInt8(bit % 8)
            switch pair.bob.hears(stream) {
            case .nothing: #expect(pair.bob.neededByteCount > stream.count)
            case .fault(let fault): #expect(fault == .tampered || fault == .recordLength(15))
            default: Issue.record("bit \(bit) was not noticed")
            }
        }
    }

    @Test("N35: 70,000 each way pass the renewal of both keys")
    func renewal() throws {
        var pair = try Pair()
        for number in 0..<70_000 {
            let word: [UInt8] = [UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8)]
            try #require(pair.bob.hears(pair.alice.says(word)) == .data(word, consumed: 21))
            try #require(pair.alice.hears(pair.bob.says(word)) == .data(word, consumed: 21))
        }
    }

    @Test("end after so many, or a day: the session is then to be made anew")
    func expiry() throws {
        var limits = SecureLimits()
        limits.recordCount = 3
        var pair = try Pair(limits: limits)
        for _ in 0..<3 { #expect(pair.bob.hears(try pair.alice.says([])) == .data([], consumed: 19)) }
        #expect(throws: SecureFault.expired) { _ = try pair.alice.says([]) }
        #expect(SecureFault.expired.closeReason == .normal)
        // The farewell is one more, and more than that are not heard either.
        var writer = ByteWriter()
        try pair.alice.closing(.normal, into: &writer)
        #expect(pair.bob.hears(writer.bytes) == .close(.normal, ""))
        writer.removeAll()
        try pair.alice.closing(.normal, into: &writer)
        #expect(pair.bob.hears(writer.bytes) == .fault(.expired))

        try pair.alice.advanced(to: .zero + .seconds(86_399))
        #expect(throws: SecureFault.expired) { try pair.alice.advanced(to: .zero + .seconds(86_400)) }
    }

    @Test("SecureLimits says 2^48 records and 24 hours")
    func limits() {
        #expect(SecureLimits().recordCount == 281_474_976_710_656)
        #expect(SecureLimits().sessionLifetime == .seconds(86_400))
        #expect(SecureLimits().recordTimeout == .seconds(30))
    }
}
