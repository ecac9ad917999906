import Primitives
import Testing

@testable import SecurePeer

private let start = Instant.zero + .seconds(1000)

/// A host of a network, with a port that tells connections apart.
private func host(_ network: UInt32, _ number: UInt32 = 1, port: UInt16 = 50_000) -> Endpoint {
    Endpoint(.v4(0x0b00_0000 | network << 8 | number), port)
}

private let loopback = Endpoint(.loopbackV4, 50_000)

@Suite("Admission: connections")
struct AdmissionConnectionTests {
    @Test("200 half-open connections of as many networks leave 64, and each newcomer finds room (N38)")
    func manyNetworks() {
        var admission = Admission(at: start)
        for id: UInt32 in 1...200 {
            let verdict = admission.accepted(id, from: host(id), at: start + .milliseconds(Int(id)))
            #expect(verdict == (id <= 64 ? .admit : .admitEvicting(id - 64)))
        }
        #expect(admission.halfOpen == 64)
        #expect(admission.counters.evicted == 136)
    }

    @Test("200 half-open connections of one /24 take four slots, its oldest making room each time (N38)")
    func oneNetwork() {
        var admission = Admission(at: start)
        #expect(admission.accepted(1000, from: host(2), at: start) == .admit)
        for id: UInt32 in 1...200 {
            let verdict = admission.accepted(id, from: host(1, id), at: start + .milliseconds(Int(id)))
            #expect(verdict == (id <= 4 ? .admit : .admitEvicting(id - 4)))
        }
        #expect(admission.halfOpen == 5)
    }

    @Test("of IPv6 a /56 is one network")
    func oneNetworkOfSix() throws {
        var admission = Admission(at: start)
        for id: UInt32 in 1...5 {
            let endpoint = try #require(Endpoint("[2001:db8:0:\(id)::1]:50000"))
            #expect(admission.accepted(id, from: endpoint, at: start) == (id <= 4 ? .admit : .admitEvicting(1)))
        }
        let neighbour = try #require(Endpoint("[2001:db8:0:100::1]:50000"))
        #expect(admission.accepted(6, from: neighbour, at: start) == .admit)
    }

    @Test("with all slots taken the most crowded network makes room, also for others, and its oldest goes")
    func mostCrowdedMakesRoom() {
        var admission = Admission(at: start)
        for id: UInt32 in 1...61 { _ = admission.accepted(id, from: host(id), at: start) }
        for id: UInt32 in 62...64 {
            _ = admission.accepted(id, from: host(61, id), at: start + .milliseconds(Int(id)))
        }
        #expect(admission.accepted(65, from: host(65), at: start + .seconds(1)) == .admitEvicting(61))
        #expect(admission.accepted(66, from: host(66), at: start + .seconds(1)) == .admitEvicting(62))
    }

    @Test("who has finished its handshake, plain or secure, is not evicted and holds no slot")
    func settledHoldsNoSlot() {
        var admission = Admission(at: start)
        for id: UInt32 in 1...4 {
            _ = admission.accepted(id, from: host(1, id), at: start)
            admission.settled(id)
        }
        #expect(admission.halfOpen == 0)
        #expect(admission.accepted(5, from: host(1, 5), at: start) == .admit)
        admission.closed(5)
        #expect(admission.halfOpen == 0)
    }

    @Test("a host has eight connections, settled ones too, until one closes")
    func eightOfOneHost() {
        var admission = Admission(at: start)
        for id: UInt32 in 1...8 {
            #expect(admission.accepted(id, from: host(1, port: UInt16(id)), at: start) == .admit)
            admission.settled(id)
        }
        #expect(admission.accepted(9, from: host(1, port: 9), at: start) == .refuse)
        #expect(admission.counters.refusedCrowded == 1)
        #expect(admission.accepted(10, from: host(1, 2), at: start) == .admit)

        admission.closed(3)
        #expect(admission.accepted(11, from: host(1, port: 11), at: start) == .admit)
    }

    @Test("an IPv6 host is its /64")
    func hostOfSix() throws {
        var admission = Admission(at: start)
        for id: UInt32 in 1...9 {
            let endpoint = try #require(Endpoint("[2001:db8::\(id)]:50000"))
            #expect(admission.accepted(id, from: endpoint, at: start) == (id <= 8 ? .admit : .refuse))
            admission.settled(id)
        }
    }

    @Test("an evicted connection counts for nothing any more")
    func evictedIsForgotten() {
        var admission = Admission(at: start)
        for id: UInt32 in 1...12 { _ = admission.accepted(id, from: host(1, port: UInt16(id)), at: start) }
        #expect(admission.halfOpen == 4)
        #expect(admission.counters.refusedCrowded == 0)
        #expect(admission.helloArrived(1, at: start) == false)
        admission.settled(1)
        admission.closed(1)
        #expect(admission.halfOpen == 4)
    }

    @Test("loopback is one host of many nodes: only the 64 slots count, unless local limits are on")
    func loopbackIsExempt() {
        var admission = Admission(at: start)
        for id: UInt32 in 1...64 { #expect(admission.accepted(id, from: loopback, at: start) == .admit) }
        #expect(admission.accepted(65, from: loopback, at: start) == .admitEvicting(1))

        var limits = AdmissionLimits()
        limits.holdLocally = true
        var strict = Admission(limits: limits, at: start)
        for id: UInt32 in 1...4 { #expect(strict.accepted(id, from: loopback, at: start) == .admit) }
        #expect(strict.accepted(5, from: loopback, at: start) == .admitEvicting(1))
        for id: UInt32 in 2...5 { strict.settled(id) }
        for id: UInt32 in 6...9 { #expect(strict.accepted(id, from: loopback, at: start) == .admit) }
        #expect(strict.accepted(10, from: loopback, at: start) == .refuse)
    }

    @Test("whatever comes in whatever order, the limits hold and the counts agree", arguments: UInt64(1)...20)
    func anyOrder(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var admission = Admission(at: start)
        var open: [UInt32: Endpoint] = [:]
        var half: Set<UInt32> = []
        var now = start
        for id: UInt32 in 1...3000 {
            now = now + .milliseconds(Int.random(in: 0..<50, using: &random))
            let endpoint = host(.random(in: 0..<40, using: &random), .random(in: 1..<4, using: &random))
            switch admission.accepted(id, from: endpoint, at: now) {
            case .refuse: #expect(open.values.count { $0 == endpoint } == 8 || admission.counters.bans > 0)
            case .admitEvicting(let victim):
                #expect(half.remove(victim) != nil)
                open[victim] = nil
                fallthrough
            case .admit:
                open[id] = endpoint
                half.insert(id)
            }
            let other = UInt32.random(in: 1...id, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: _ = admission.helloArrived(other, at: now)
            case 1:
                admission.settled(other)
                half.remove(other)
            case 2: admission.failed(other, .handshake, at: now)
            default:
                admission.closed(other)
                open[other] = nil
                half.remove(other)
            }
            #expect(admission.halfOpen == half.count && half.count <= 64)
            #expect(open.values.count { $0 == endpoint } <= 8)
            #expect(half.count { open[$0]?.address.network == endpoint.address.network } <= 4)
        }
    }
}

@Suite("Admission: handshakes")
struct AdmissionHandshakeTests {
    /// Connects, says hello, and goes away.
    private func says(_ admission: inout Admission, _ id: UInt32, _ endpoint: Endpoint, at now: Instant) -> Bool {
        guard admission.accepted(id, from: endpoint, at: now) == .admit else { return false }
        defer { admission.closed(id) }
        return admission.helloArrived(id, at: now)
    }

    @Test("a thousand hellos a second of one host for ten seconds: eight are handled, and two a second (N37)")
    func floodOfOneHost() {
        var admission = Admission(at: start)
        var handled = 0
        var others = 0
        for millisecond in 0..<10_000 {
            let now = start + .milliseconds(millisecond)
            if says(&admission, UInt32(millisecond), host(1), at: now) { handled += 1 }
            // Somebody else every half second.
            if millisecond % 500 == 0, says(&admission, 20_000, host(2), at: now) { others += 1 }
        }
        #expect(handled == 8 + 2 * 10 - 1)
        #expect(others == 20)
        #expect(admission.counters.refusedHellos == UInt64(10_000 - handled))
    }

    @Test("of all hosts together: a hundred at once, and fifty a second")
    func floodOfManyHosts() {
        var admission = Admission(at: start)
        let handled = { (admission: inout Admission, now: Instant, ids: Range<UInt32>) in
            ids.count { says(&admission, $0, host($0), at: now) }
        }
        #expect(handled(&admission, start, 0..<300) == 100)
        #expect(handled(&admission, start + .seconds(1), 300..<600) == 50)
        #expect(handled(&admission, start + .seconds(60), 600..<900) == 100)
    }

    @Test(
        "hosts are forgotten once they owe nothing: those of four seconds, at the rate of all, and of the first burst"
    )
    func ratedHosts() {
        var admission = Admission(at: start)
        for id: UInt32 in 0..<5000 {
            _ = says(&admission, id, host(id), at: start + .milliseconds(Int(id)))
            #expect(admission.ratedHosts <= 300)
        }
        _ = says(&admission, 5000, host(5000), at: start + .seconds(60))
        #expect(admission.ratedHosts == 1)
    }

    @Test("loopback has no rate of its own, but a share of that of all")
    func floodOfLoopback() {
        var admission = Admission(at: start)
        #expect((UInt32(0)..<300).count { says(&admission, $0, loopback, at: start) } == 100)

        var limits = AdmissionLimits()
        limits.holdLocally = true
        var strict = Admission(limits: limits, at: start)
        #expect((UInt32(0)..<300).count { says(&strict, $0, loopback, at: start) } == 8)
    }

    @Test("a hello of a connection that is not there is refused and takes no token")
    func unknownConnection() {
        var admission = Admission(at: start)
        for _ in 0..<200 { #expect(admission.helloArrived(7, at: start) == false) }
        #expect(says(&admission, 1, host(1), at: start))
    }

    /// Handshakes that fail, one at each of these times.
    private func fail(_ admission: inout Admission, _ endpoint: Endpoint, at seconds: [Int]) {
        for second in seconds {
            let now = start + .seconds(second)
            _ = admission.accepted(1, from: endpoint, at: now)
            _ = admission.helloArrived(1, at: now)
            admission.failed(1, .handshake, at: now)
            admission.closed(1)
        }
    }

    private func admits(_ admission: inout Admission, _ endpoint: Endpoint, at second: Int) -> Bool {
        let verdict = admission.accepted(2, from: endpoint, at: start + .seconds(second))
        admission.closed(2)
        return verdict == .admit
    }

    @Test("five failed handshakes in a minute keep a host out for five minutes, from any port, and nobody else")
    func ban() {
        var admission = Admission(at: start)
        fail(&admission, host(1), at: [0, 10, 20, 59])
        #expect(admits(&admission, host(1), at: 59))
        fail(&admission, host(1), at: [59])

        #expect(!admits(&admission, host(1, port: 7), at: 59))
        #expect(admits(&admission, host(1, 2), at: 59))
        #expect(!admits(&admission, host(1), at: 59 + 299))
        #expect(admits(&admission, host(1), at: 59 + 300))
        #expect(admission.counters.bans == 1)
        #expect(admission.counters.failedHandshakes == 5)
        #expect(admission.counters.refusedBanned == 2)

        // What is past is past: it takes five more.
        fail(&admission, host(1), at: [360, 361, 362, 363])
        #expect(admits(&admission, host(1), at: 364))
    }

    @Test("five failed handshakes in more than a minute do not")
    func noBan() {
        var admission = Admission(at: start)
        fail(&admission, host(1), at: [0, 15, 30, 45, 60, 75, 90])
        #expect(admits(&admission, host(1), at: 90))
        #expect(admission.counters.bans == 0)
    }

    @Test(
        "neither silent connections, nor MSE, nor plain ones, nor what fails after the handshake, count towards a ban"
    )
    func whatIsNoFailure() {
        var admission = Admission(at: start)
        for second in 0..<10 {
            let now = start + .seconds(second)
            for (id, failure) in [(UInt32(1), Admission.Failure.handshake), (2, .mseOrUnknown), (3, .plainRefused)] {
                _ = admission.accepted(id, from: host(1), at: now)
                admission.failed(id, failure, at: now)
                admission.closed(id)
            }
            _ = admission.accepted(4, from: host(1), at: now)
            _ = admission.helloArrived(4, at: now)
            admission.settled(4)
            admission.failed(4, .handshake, at: now)
            admission.closed(4)
        }
        #expect(admits(&admission, host(1), at: 10))
        #expect(admission.counters.mseOrUnknown == 10)
        #expect(admission.counters.plainRefused == 10)
        #expect(admission.counters.failedHandshakes == 0)
    }

    @Test("a flood that pushes out its own handshakes is banned for them within three seconds (N37)")
    func floodOfUnfinishedHandshakes() {
        var admission = Admission(at: start)
        var handled: [Int] = []
        for millisecond in 0..<10_000 {
            let (id, now) = (UInt32(millisecond), start + .milliseconds(millisecond))
            guard admission.accepted(id, from: host(1, port: UInt16(millisecond)), at: now) != .refuse else { continue }
            if admission.helloArrived(id, at: now) { handled.append(millisecond) } else { admission.closed(id) }
        }
        #expect(handled.count <= 8 + 2 * 3)
        #expect(handled.allSatisfy { $0 < 3000 })
        #expect(admission.counters.bans == 1)
        #expect(admits(&admission, host(1, 2), at: 10))
    }

    @Test("ten handshakes at once of an honest host push out some of their own, and nobody is banned")
    func crowdOfOneHost() {
        var admission = Admission(at: start)
        for id: UInt32 in 1...10 {
            _ = admission.accepted(id, from: host(1, port: UInt16(id)), at: start)
            if !admission.helloArrived(id, at: start) { admission.closed(id) }
        }
        #expect(admission.counters.bans == 0)
    }

    @Test("one connection fails once")
    func failsOnce() {
        var admission = Admission(at: start)
        _ = admission.accepted(1, from: host(1), at: start)
        _ = admission.helloArrived(1, at: start)
        for _ in 0..<5 { admission.failed(1, .handshake, at: start) }
        #expect(admission.counters.failedHandshakes == 1)
        #expect(admits(&admission, host(1), at: 0))
    }

    @Test("on loopback an endpoint is banned and not the host, unless local limits are on")
    func banOnLoopback() {
        let other = Endpoint(.loopbackV4, 50_001)
        var admission = Admission(at: start)
        fail(&admission, loopback, at: [0, 1, 2, 3, 4])
        #expect(!admits(&admission, loopback, at: 5))
        #expect(admits(&admission, other, at: 5))

        var limits = AdmissionLimits()
        limits.holdLocally = true
        var strict = Admission(limits: limits, at: start)
        fail(&strict, loopback, at: [0, 1, 2, 3, 4])
        #expect(!admits(&strict, other, at: 5))
    }

    @Test("so many hosts are remembered, and the one that failed longest ago makes room")
    func rememberedHosts() {
        var limits = AdmissionLimits()
        #expect(limits.rememberedHosts == 4096)
        limits.rememberedHosts = 64
        limits.hellos = TokenBucket.Rate(burst: 10_000, perSecond: 10_000)
        var admission = Admission(limits: limits, at: start)
        fail(&admission, host(0), at: [0, 0, 0, 0, 0])
        for number: UInt32 in 1...63 { fail(&admission, host(number), at: [0]) }
        #expect(!admits(&admission, host(0), at: 1))
        for number: UInt32 in 5000...5063 { fail(&admission, host(number), at: [1]) }
        #expect(admits(&admission, host(0), at: 2))
    }
}
