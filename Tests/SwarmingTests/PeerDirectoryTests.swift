import Primitives
import Swarming
import Testing

@Suite("Peer directory")
struct PeerDirectoryTests {
    private func endpoint(_ text: String) throws -> Endpoint { try #require(Endpoint(text)) }

    @Test("named peers first, then by source")
    func ranking() throws {
        var directory = PeerDirectory(seed: 1)
        let dht = try endpoint("8.8.8.1:6881")
        let exchange = try endpoint("8.8.8.2:6881")
        let user = try endpoint("8.8.8.3:6881")
        directory.add(dht, source: .dht, at: start)
        directory.add(exchange, source: .exchange, at: start)
        directory.add(user, source: .user, at: start)
        #expect((0..<4).map { _ in directory.next(at: start) } == [user, exchange, dht, nil])
    }

    @Test(
        "pauses after failures: minutes, or seconds for peers that the user named and on loopback",
        arguments: [
            ("8.8.8.8:6881", PeerSource.dht, [60, 300, 1800, 1800]),
            ("8.8.8.8:6881", PeerSource.user, [1, 5, 30, 30]),
            ("127.0.0.1:6881", PeerSource.dht, [1, 5, 30, 30]),
        ]
    )
    func backOff(text: String, source: PeerSource, pauses: [Int]) throws {
        var directory = PeerDirectory(seed: 1)
        let peer = try endpoint(text)
        var now = start
        directory.add(peer, source: source, at: now)
        for pause in pauses {
            #expect(directory.next(at: now) == peer)
            #expect(directory.nextDeadline == nil)
            directory.failed(peer, at: now)
            #expect(directory.next(at: now) == nil)
            #expect(directory.nextDeadline == now + .seconds(pause))
            now = now + .seconds(pause)
        }
    }

    @Test(
        "what cannot or must not be dialled is refused",
        arguments: ["8.8.8.8:0", "8.8.8.8:22", "8.8.8.8:1023", "0.0.0.0:6881", "224.0.0.1:6881", "255.255.255.255:1"]
    )
    func refused(text: String) throws {
        var directory = PeerDirectory(seed: 1)
        #expect(directory.add(try endpoint(text), source: .dht, at: start) == false)
    }

    @Test("privileged ports are for the user to name; 80 and 443 are for all")
    func ports() throws {
        var directory = PeerDirectory(seed: 1)
        #expect(directory.add(try endpoint("8.8.8.8:22"), source: .user, at: start) == true)
        #expect(directory.add(try endpoint("8.8.8.9:443"), source: .dht, at: start) == true)
        #expect(directory.add(try endpoint("8.8.8.9:80"), source: .dht, at: start) == true)
    }

    @Test("two ports of an address, any number on loopback")
    func perAddress() throws {
        var directory = PeerDirectory(seed: 1)
        for port in 1...10 {
            directory.add(try endpoint("8.8.8.8:\(7000 + port)"), source: .dht, at: start)
            directory.add(try endpoint("127.0.0.1:\(7000 + port)"), source: .dht, at: start)
        }
        #expect(directory.count == 12)
    }

    @Test("a ban covers the address, on loopback the endpoint")
    func bans() throws {
        var directory = PeerDirectory(seed: 1)
        directory.add(try endpoint("8.8.8.8:7000"), source: .dht, at: start)
        directory.ban(try endpoint("8.8.8.8:50000"))
        directory.ban(try endpoint("127.0.0.1:7000"))
        #expect(directory.count == 0)
        #expect(directory.add(try endpoint("8.8.8.8:7001"), source: .user, at: start) == false)
        #expect(directory.add(try endpoint("127.0.0.1:7000"), source: .user, at: start) == false)
        #expect(directory.add(try endpoint("127.0.0.1:7001"), source: .user, at: start) == true)
        #expect(directory.accepts(try endpoint("8.8.8.8:1234")) == false)
    }

    @Test("we do not dial ourselves")
    func ourselves() throws {
        var directory = PeerDirectory(seed: 1)
        let me = try endpoint("8.8.8.8:7000")
        directory.add(me, source: .dht, at: start)
        directory.isSelf(me)
        #expect(directory.next(at: start) == nil)
        #expect(directory.add(me, source: .dht, at: start) == false)
    }

    @Test("dials stay within the limits")
    func limits() throws {
        var limits = PeerDirectory.Limits()
        limits.maxDialling = 2
        limits.maxConnections = 3
        var directory = PeerDirectory(limits: limits, seed: 1)
        for index in 1...9 { directory.add(try endpoint("8.8.8.\(index):7000"), source: .dht, at: start) }
        let dialled = (0..<2).compactMap { _ in directory.next(at: start) }
        try #require(dialled.count == 2)
        #expect(directory.next(at: start) == nil)
        for endpoint in dialled { directory.connected(endpoint) }
        #expect(directory.next(at: start) != nil)
        #expect(directory.next(at: start) == nil)
        directory.disconnected(dialled[0], .useful, at: start)
        #expect(directory.next(at: start) != nil)
    }

    @Test("a full directory makes room for better sources and for what failed, never for less")
    func capacity() throws {
        var limits = PeerDirectory.Limits()
        limits.capacity = 2
        var directory = PeerDirectory(limits: limits, seed: 1)
        let failing = try endpoint("8.8.8.1:7000")
        directory.add(failing, source: .tracker, at: start)
        directory.add(try endpoint("8.8.8.2:7000"), source: .user, at: start)
        #expect(directory.add(try endpoint("8.8.8.3:7000"), source: .dht, at: start) == false)
        directory.failed(failing, at: start)
        #expect(directory.add(try endpoint("8.8.8.3:7000"), source: .dht, at: start) == true)
        #expect(directory.add(try endpoint("8.8.8.4:7000"), source: .tracker, at: start) == true)
        #expect(directory.count == 2)
    }

    @Test("who has nothing for us is left alone until more is wanted")
    func settled() throws {
        var directory = PeerDirectory(seed: 1)
        let peer = try endpoint("127.0.0.1:7000")
        directory.add(peer, source: .dht, at: start)
        #expect(directory.next(at: start) == peer)
        directory.connected(peer)
        directory.disconnected(peer, .settled, at: start)
        #expect(directory.nextDeadline == nil)
        #expect(directory.next(at: start + .seconds(86_400)) == nil)
        directory.reconsider(at: start)
        #expect(directory.next(at: start) == peer)
    }
}

@Suite("Rate limiter")
struct RateLimiterTests {
    @Test("without a limit everything passes")
    func unlimited() {
        var limiter = RateLimiter(bytesPerSecond: nil, at: start)
        limiter.spend(1 << 40)
        #expect(limiter.allowance(at: start) == .max)
        #expect(limiter.nextDeadline == nil)
    }

    @Test("the rate holds over seconds, from deadline to deadline", arguments: [1_000, 50_000, 1_000_000, 300_000_000])
    func rate(bytesPerSecond: Int) {
        var limiter = RateLimiter(bytesPerSecond: bytesPerSecond, at: start)
        var now = start
        var passed = 0
        var steps = 0
        while now < start + .seconds(10) {
            let allowance = limiter.allowance(at: now)
            limiter.spend(allowance)
            passed += allowance
            steps += 1
            guard let deadline = limiter.nextDeadline else { continue }
            now = max(now, deadline)
        }
        #expect(abs(passed - 10 * bytesPerSecond) <= bytesPerSecond)
        #expect(steps <= 200_000)
    }

    @Test("what was spent too much is waited off")
    func debt() {
        var limiter = RateLimiter(bytesPerSecond: 16_384, at: start)
        limiter.spend(limiter.allowance(at: start) + 32_768)
        #expect(limiter.allowance(at: start + .seconds(2)) == 0)
        #expect(limiter.allowance(at: start + .milliseconds(2101)) > 0)
    }

    @Test("an idle second is not saved up")
    func burst() {
        var limiter = RateLimiter(bytesPerSecond: 1_000_000, at: start)
        #expect(limiter.allowance(at: start + .seconds(100)) == 250_000)
    }
}
