import Primitives
import Testing

@testable import TrackerProtocol

@Suite("The limits of the registry")
struct RegistryLimitTests {
    @Test("a host has at most 64 peers in all swarms of a family, and learns that it is refused (T7)")
    func peersPerHost() throws {
        var tracker = TrackerDialogue()
        for torrent in 1...64 { #expect(tracker.announce(from: "1.1.1.1", torrent: UInt32(torrent)) == []) }
        let sender = try #require(IPAddress("1.1.1.1"))
        let refused = #expect(throws: TrackerFailure.self) {
            try tracker.registry.announce(
                TrackerDialogue.request(torrent: 65),
                from: sender,
                at: .zero,
                into: &tracker.reply
            )
        }
        #expect(refused == .tooManyPeers)
        #expect(tracker.registry.swarmCount == 64)
        // Who is listed may renew, others may come, and the other family has a limit of its own.
        #expect(tracker.announce(from: "1.1.1.1", torrent: 64) == [])
        #expect(tracker.announce(from: "1.1.1.2", torrent: 65, peer: 2) == [])
        #expect(tracker.announce(from: "2001:db8::1", torrent: 65) == [])
        // A peer that stopped makes room.
        tracker.announce(.stopped, from: "1.1.1.1", torrent: 1)
        #expect(tracker.announce(from: "1.1.1.1", torrent: 65) == ["1.1.1.2:6881"])
    }

    @Test("a host has at most 8 peers in a swarm, and all addresses of an IPv6 /64 are one host (T7)")
    func peersPerHostAndSwarm() {
        var tracker = TrackerDialogue()
        for port in 1...8 { #expect(tracker.announce(from: "1.1.1.1", port: UInt16(port)) != nil) }
        #expect(tracker.announce(from: "1.1.1.1", port: 9) == nil)
        #expect(tracker.announce(from: "1.1.1.1", torrent: 2, port: 9) != nil)
        for number in 1...8 { #expect(tracker.announce(from: "2001:db8::\(number)") != nil) }
        #expect(tracker.announce(from: "2001:db8::9") == nil)
        #expect(tracker.announce(from: "2001:db8:0:1::9") != nil)
    }

    @Test("the host of the tracker has no such limit, unless it is asked for (T7)", arguments: ["127.0.0.1", "::1"])
    func loopback(address: String) {
        var tracker = TrackerDialogue()
        for port in 1...100 { #expect(tracker.announce(from: address, port: UInt16(port)) != nil) }
        var limits = RegistryLimits()
        limits.exemptsLoopback = false
        var strict = TrackerDialogue(limits)
        for port in 1...8 { #expect(strict.announce(from: address, port: UInt16(port)) != nil) }
        #expect(strict.announce(from: address, port: 9) == nil)
    }

    @Test("a full swarm, and a full tracker, answer on, list nobody new, and say so (T7)")
    func full() {
        var limits = RegistryLimits()
        limits.peersPerSwarm = 5
        limits.peers = 7
        limits.swarms = 3
        var tracker = TrackerDialogue(limits)
        for number in 1...5 { tracker.announce(from: "1.1.1.\(number)", peer: UInt32(number)) }
        #expect(tracker.reply.warning == nil)
        #expect(tracker.announce(from: "1.1.1.6", peer: 6)?.count == 5)
        #expect(tracker.reply.warning != nil)
        #expect(tracker.scrape() == [0, 0, 5])
        // The two that are left, in swarms of their own.
        tracker.announce(from: "1.1.1.6", torrent: 2, peer: 6)
        tracker.announce(from: "1.1.1.6", torrent: 3, peer: 6)
        #expect(tracker.reply.warning == nil)
        #expect(tracker.announce(from: "1.1.1.7", torrent: 3, peer: 7) == ["1.1.1.6:6881"])
        #expect(tracker.reply.warning != nil)
        // No swarm begins any more; and who is refused leaves none behind.
        #expect(tracker.announce(from: "1.1.1.1", torrent: 4) == [])
        #expect(tracker.reply.warning != nil)
        #expect(tracker.registry.swarmCount == 3)
        #expect(tracker.registry.peerCount == 7)
    }

    @Test("a peer is stopped by its own host, or by who proves its key (T8)")
    func stopping() {
        var tracker = TrackerDialogue()
        tracker.announce(from: "1.1.1.1", peer: 1, key: 5)
        tracker.announce(.stopped, from: "2.2.2.2", peer: 1)
        tracker.announce(.stopped, from: "2.2.2.2", peer: 1, key: 6)
        tracker.announce(.stopped, from: "2.2.2.2", peer: 2, key: 5)
        tracker.announce(.stopped, from: "1.1.1.1", peer: 1, port: 7000)
        #expect(tracker.scrape() == [0, 0, 1])
        tracker.announce(.stopped, from: "2.2.2.2", peer: 1, key: 5)
        #expect(tracker.scrape() == [0, 0, 0])
        // No key is no proof.
        tracker.announce(from: "1.1.1.1", peer: 1)
        tracker.announce(.stopped, from: "2.2.2.2", peer: 1)
        #expect(tracker.scrape() == [0, 0, 1])
        tracker.announce(.stopped, from: "1.1.1.1", peer: 1)
        #expect(tracker.scrape() == [0, 0, 0])
    }

    @Test("a peer that has a new address moves where its key proves it, in its own family (T8)")
    func moving() {
        var tracker = TrackerDialogue()
        tracker.announce(.completed, from: "1.1.1.1", peer: 1, left: 0, key: 5)
        tracker.announce(from: "9.9.9.9", peer: 9)
        tracker.announce(from: "2.2.2.2", peer: 1, left: 0, key: 5)
        #expect(tracker.announce(from: "9.9.9.9", peer: 9) == ["2.2.2.2:6881"])
        // The same key in the other family is another peer, and a wrong one too.
        tracker.announce(from: "2001:db8::1", peer: 1, left: 0, key: 5)
        tracker.announce(from: "3.3.3.3", peer: 1, left: 0, key: 6)
        #expect(tracker.announce(from: "9.9.9.9", peer: 9) == ["2.2.2.2:6881", "3.3.3.3:6881"])
        #expect(tracker.scrape(1, .v6)[0] == 1)
        // It has moved, but completed once.
        tracker.announce(.completed, from: "2.2.2.2", peer: 1, left: 0, key: 5)
        #expect(tracker.scrape() == [2, 1, 1])
    }

    @Test("peers of private networks and of the tracker's host are told to such alone (T13)")
    func privatePeers() {
        var tracker = TrackerDialogue()
        let all = ["1.1.1.1", "10.0.0.1", "127.0.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1"]
        for (number, address) in all.enumerated() { tracker.announce(from: address, peer: UInt32(number)) }
        #expect(tracker.announce(from: "8.8.8.8", peer: 90) == ["1.1.1.1:6881"])
        #expect(
            tracker.announce(from: "10.0.0.9", peer: 91) == [
                "1.1.1.1:6881", "10.0.0.1:6881", "100.64.0.1:6881", "169.254.1.1:6881", "192.168.1.1:6881",
                "8.8.8.8:6881",
            ]
        )
        #expect(tracker.announce(from: "127.0.0.9", peer: 92)?.count == 8)
        // Seeds are kept from seeds there too.
        for (number, address) in all.enumerated() {
            tracker.announce(from: address, torrent: 2, peer: UInt32(number), left: UInt64(number % 2))
        }
        #expect(tracker.announce(from: "8.8.8.8", torrent: 2, peer: 90, left: 0) == [])
        #expect(
            tracker.announce(from: "10.0.0.9", torrent: 2, peer: 91, left: 0) == [
                "10.0.0.1:6881", "100.64.0.1:6881", "192.168.1.1:6881",
            ]
        )
        #expect(tracker.announce(from: "127.0.0.9", torrent: 2, peer: 92)?.count == 8)
    }

    @Test("unique local and link-local IPv6 peers are private too (T13)")
    func privatePeersV6() {
        var tracker = TrackerDialogue()
        for (number, address) in ["2001:db8::1", "fd00::1", "fe80::1", "::1"].enumerated() {
            tracker.announce(from: address, peer: UInt32(number))
        }
        #expect(tracker.announce(from: "2001:db8:2::1", peer: 90) == ["[2001:db8::1]:6881"])
        #expect(tracker.announce(from: "fd00::9", peer: 91)?.contains("[fe80::1]:6881") == true)
        #expect(tracker.announce(from: "fd00::9", peer: 91)?.contains("[::1]:6881") == false)
    }
}
