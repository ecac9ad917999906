import Primitives
import Testing
import TrackerProtocol

@Suite("The gate before passwords")
struct LoginGateTests {
    private let start = Instant(nanoseconds: 0)

    private func host(_ number: UInt32) -> IPAddress { .v4(0xcb00_7100 + number) }

    /// One login that fails, as far as it is let in.
    private func fail(_ gate: inout LoginGate, _ number: UInt32, at now: Instant) -> LoginGate.Verdict {
        let verdict = gate.admitLogin(from: host(number), at: now)
        if verdict == .admitted { gate.ended(.wrong, from: host(number), at: now) }
        return verdict
    }

    @Test("the sixth wrong password of a host in a minute is not looked at (R4, N50)")
    func perHost() {
        var gate = LoginGate()
        for second in 0..<5 {
            #expect(fail(&gate, 1, at: start + .seconds(second)) == .admitted)
        }
        #expect(gate.admitLogin(from: host(1), at: start + .seconds(10)) == .refused(retryAfter: .seconds(50)))
        // Another host is not concerned.
        #expect(gate.admitLogin(from: host(2), at: start + .seconds(10)) == .admitted)
        gate.ended(.right, from: host(2), at: start + .seconds(10))
        // After the window a correct one works, and is not held against anybody.
        #expect(gate.admitLogin(from: host(1), at: start + .seconds(60)) == .admitted)
        gate.ended(.right, from: host(1), at: start + .seconds(60))
        #expect(gate.admitLogin(from: host(1), at: start + .seconds(60)) == .admitted)
    }

    @Test("one is hashed and four wait; the sixth at once is told to come again (R4, N50)")
    func parallel() {
        var gate = LoginGate()
        for number in 1...5 { #expect(gate.admitLogin(from: host(UInt32(number)), at: start) == .admitted) }
        #expect(gate.admitLogin(from: host(6), at: start) == .refused(retryAfter: .seconds(1)))
        #expect(gate.admitRegistration(from: host(6), at: start) == .refused(retryAfter: .seconds(1)))
        gate.ended(.neither, from: host(3), at: start)
        #expect(gate.admitLogin(from: host(6), at: start) == .admitted)
        #expect(gate.inHandCount == 5)
    }

    @Test("who is in hand counts as one who may fail: five at once are all that a host gets")
    func parallelOfOneHost() {
        var limits = LoginGate.Limits()
        limits.inHand = 100
        var gate = LoginGate(limits: limits)
        for _ in 0..<5 { #expect(gate.admitLogin(from: host(1), at: start) == .admitted) }
        #expect(gate.admitLogin(from: host(1), at: start) == .refused(retryAfter: .seconds(1)))
    }

    @Test("twenty wrong passwords in all are looked at in a minute (R4)")
    func inAll() {
        var gate = LoginGate()
        var admitted = 0
        for number in 0..<200 where fail(&gate, UInt32(number), at: start) == .admitted { admitted += 1 }
        #expect(admitted == 20)
        #expect(gate.admitLogin(from: host(250), at: start + .seconds(1)) == .refused(retryAfter: .seconds(59)))
        #expect(gate.admitLogin(from: host(250), at: start + .seconds(60)) == .admitted)
    }

    @Test("some strangers who fail all the time do not keep a person out")
    func persistentStrangers() {
        var gate = LoginGate()
        var now = start
        for _ in 0..<1200 {
            for number in 1...10 { _ = fail(&gate, UInt32(number), at: now) }
            now = now + .milliseconds(500)
        }
        #expect(gate.admitLogin(from: host(99), at: now) == .admitted)
    }

    @Test("all addresses of an IPv6 network are one host")
    func network() {
        var gate = LoginGate()
        for low in 1...5 {
            let address = IPAddress.v6(high: 0x2001_0db8_0000_0001, low: UInt64(low))
            #expect(gate.admitLogin(from: address, at: start) == .admitted)
            gate.ended(.wrong, from: address, at: start)
        }
        let sixth = IPAddress.v6(high: 0x2001_0db8_0000_0001, low: 6)
        #expect(gate.admitLogin(from: sixth, at: start) == .refused(retryAfter: .seconds(60)))
    }

    @Test("a host registers thirty times an hour, loopback as often as it likes")
    func registrations() {
        var gate = LoginGate()
        func register(_ address: IPAddress, at now: Instant) -> LoginGate.Verdict {
            let verdict = gate.admitRegistration(from: address, at: now)
            if verdict == .admitted { gate.ended(.right, from: address, at: now) }
            return verdict
        }
        for _ in 0..<30 { #expect(register(host(1), at: start) == .admitted) }
        #expect(register(host(1), at: start) != .admitted)
        for _ in 0..<100 { #expect(register(.loopbackV4, at: start) == .admitted) }
        #expect(register(host(1), at: start + .seconds(3600)) == .admitted)
    }
}
