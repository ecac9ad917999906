import Primitives
import Testing

@Suite("Identifiers")
struct IdentifierTests {
    @Test("an identifier survives the way to text and back")
    func hex() throws {
        let text = "0123456789abcdef0011223344556677fedcba98"
        let id = try #require(NodeID(hex: text))
        #expect(id.hex == text)
        #expect(NodeID(hex: text.dropLast()) == nil)
        #expect(NodeID(hex: text.uppercased()) == id)
        #expect(NodeID(hex: "g" + text.dropFirst()) == nil)
    }

    @Test("distance is XOR, compared from the most significant bit")
    func distance() throws {
        let zero = NodeID(.zero)
        let low = NodeID(UInt160(high: 0, middle: 0, low: 1))
        let high = NodeID(UInt160(high: 1 << 63, middle: 0, low: 0))
        #expect(low.isCloser(to: zero, than: high))
        #expect(zero.distance(to: low).leadingZeroBitCount == 159)
        #expect(high.value[bit: 0] && low.value[bit: 159] && !low.value[bit: 160])
    }

    @Test("hot identifiers stay words")
    func layout() {
        #expect(MemoryLayout<NodeID>.size == 20)
    }
}

@Suite("Addresses")
struct AddressTests {
    @Test(
        "text forms are read and written as RFC 5952 says",
        arguments: [
            ("127.0.0.1", "127.0.0.1"), ("::", "::"), ("::1", "::1"), ("2001:DB8::0:1", "2001:db8::1"),
            ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("::ffff:1.2.3.4", "::ffff:102:304"), ("1::", "1::"),
        ]
    )
    func text(input: String, output: String) {
        #expect(IPAddress(input)?.description == output)
    }

    @Test(
        "what is no address is refused",
        arguments: ["", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4.5", ":", ":::", "1::2::3", "g::", "12345::"]
    )
    func refused(input: String) {
        #expect(IPAddress(input) == nil)
    }

    @Test("endpoints need a port, and brackets around IPv6")
    func endpoints() {
        #expect(Endpoint("1.2.3.4:5") == Endpoint(.v4(0x0102_0304), 5))
        #expect(Endpoint("[::1]:80")?.description == "[::1]:80")
        #expect(Endpoint("::1:80") == nil)
        #expect(Endpoint("1.2.3.4:65536") == nil)
        #expect(Endpoint("host:1") == nil)
    }

    @Test(
        "kinds of address",
        arguments: [
            ("127.1.2.3", false), ("10.1.1.1", false), ("172.16.0.1", false), ("172.32.0.1", true),
            ("192.168.1.1", false), ("169.254.0.1", false), ("100.64.0.1", false), ("100.128.0.1", true),
            ("0.1.2.3", false), ("224.0.0.1", false), ("240.0.0.1", false), ("8.8.8.8", true), ("fe80::1", false),
            ("fd00::1", false), ("2400::1", true), ("2001:db8::1", true), ("2001:0:1::1", false),
            ("2001:200::1", true), ("2002:808:808::1", false), ("::ffff:8.8.8.8", false),
            ("64:ff9b::808:808", false), ("ff02::1", false), ("::1", false), ("::", false),
        ]
    )
    func kinds(text: String, isPublic: Bool) {
        #expect(IPAddress(text)?.isPublic == isPublic)
    }
}

@Suite("Bitfield")
struct BitfieldTests {
    @Test("wire form: exact length and spare bits zero", arguments: [1, 7, 8, 9, 63, 64, 65, 130])
    func wire(count: Int) throws {
        var bits = Bitfield(count: count)
        bits[0] = true
        bits[count - 1] = true
        #expect(Bitfield(bits.bytes.span.bytes, count: count) == bits)
        #expect(bits.indices == (count == 1 ? [0] : [0, count - 1]))
        #expect(Bitfield((bits.bytes + [0]).span.bytes, count: count) == nil)
        #expect(Bitfield(filled: count).setCount == count)
        #expect(Bitfield(Bitfield(filled: count).bytes.span.bytes, count: count) == Bitfield(filled: count))
        if !count.isMultiple(of: 8) {
            var bytes = bits.bytes
            bytes[bytes.count - 1] |= 1
            #expect(Bitfield(bytes.span.bytes, count: count) == nil)
        }
    }

    @Test("set and clear bits are found, and counted in any part", arguments: [1, 63, 64, 65, 200])
    func parts(count: Int) {
        var random = SeededRandom(seed: UInt64(count))
        var bits = Bitfield(count: count)
        for index in 0..<count { bits[index] = Bool.random(using: &random) }
        for start in 0...count {
            #expect(bits.firstIndex(of: true, from: start) == (start..<count).first { bits[$0] })
            #expect(bits.firstIndex(of: false, from: start) == (start..<count).first { !bits[$0] })
            let end = Int.random(in: start...count, using: &random)
            #expect(bits.setCount(in: start..<end) == (start..<end).count { bits[$0] })
        }
        #expect(bits.setCount(in: -5..<count + 5) == bits.setCount)
        #expect(bits.firstIndex(of: true, from: -1) == nil)
    }

    @Test("an index from a remote never traps")
    func outside() {
        var bits = Bitfield(count: 3)
        bits[3] = true
        bits[-1] = true
        #expect(!bits[3] && !bits[-1] && bits.isEmpty)
        bits[1] = true
        #expect(bits.hasAny(notIn: Bitfield(count: 3)) && !bits.hasAny(notIn: Bitfield(filled: 3)))
    }
}

@Suite("Containers")
struct ContainerTests {
    @Test("a heap gives its elements in order")
    func heap() {
        var heap = Heap<Int>()
        var random = SeededRandom(seed: 1)
        let numbers = (0..<200).map { _ in Int.random(in: 0..<50, using: &random) }
        for number in numbers { heap.insert(number) }
        #expect(numbers.indices.map { _ in heap.popFirst() } == numbers.sorted())
        #expect(heap.popFirst() == nil)
    }

    @Test("the least recently used entry makes room")
    func lru() {
        var cache = LRUCache<Int, String>(capacity: 2)
        cache.insert("a", for: 1)
        cache.insert("b", for: 2)
        #expect(cache.use(1) == "a")
        #expect(cache.insert("c", for: 3)?.key == 2)
        #expect(cache.use(2) == nil && cache.use(1) == "a" && cache.count == 2)
    }

    @Test("reading a value does not count as using it")
    func lruRead() {
        var cache = LRUCache<Int, String>(capacity: 2)
        cache.insert("a", for: 1)
        cache.insert("b", for: 2)
        #expect(cache.value(of: 1) == "a" && cache.value(of: 3) == nil)
        #expect(cache.insert("c", for: 3)?.key == 1)
    }
}

@Suite("Instant")
struct InstantTests {
    @Test("time saturates and never traps")
    func saturates() {
        #expect(Instant(nanoseconds: .max - 1) + .seconds(9) == .distantFuture)
        #expect(Instant.zero + .milliseconds(3) == Instant(nanoseconds: 3_000_000))
        #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max)
        #expect(Instant(nanoseconds: 5) - Instant(nanoseconds: 2) == .nanoseconds(3))
    }
}

@Suite("Wall clock")
struct WallClockTests {
    @Test("it goes on with the monotonic clock, in milliseconds, and no time is too far for it")
    func goesOn() {
        let clock = WallClock(unixMilliseconds: 1_700_000_000_000, at: .zero + .seconds(5))
        #expect(clock.unixMilliseconds(at: .zero + .seconds(5)) == 1_700_000_000_000)
        #expect(clock.unixMilliseconds(at: .zero + .milliseconds(6500)) == 1_700_000_001_500)
        #expect(clock.unixMilliseconds(at: .zero) == 1_699_999_995_000)
        _ = WallClock(unixMilliseconds: .min, at: .distantFuture).unixMilliseconds(at: .distantFuture)
    }
}
