import Primitives
import Testing

@testable import TrackerProtocol

@Suite("The registry of swarms")
struct RegistryTests {
    @Test("a peer learns of the others, never of itself, and of nobody after it stopped")
    func meeting() {
        var tracker = TrackerDialogue()
        #expect(tracker.announce(.started, from: "1.1.1.1") == [])
        #expect(tracker.announce(.started, from: "2.2.2.2", peer: 2) == ["1.1.1.1:6881"])
        #expect(tracker.announce(from: "1.1.1.1") == ["2.2.2.2:6881"])
        #expect(tracker.announce(.stopped, from: "1.1.1.1") == [])
        #expect(tracker.announce(from: "2.2.2.2", peer: 2) == [])
        #expect(tracker.scrape() == [0, 0, 1])
    }

    @Test("seeds are not told of seeds, leechers of both")
    func seeds() {
        var tracker = TrackerDialogue()
        tracker.announce(from: "1.1.1.1", peer: 1, left: 0)
        tracker.announce(from: "2.2.2.2", peer: 2, left: 0)
        tracker.announce(from: "3.3.3.3", peer: 3, left: nil)
        #expect(tracker.announce(from: "1.1.1.1", peer: 1, left: 0) == ["3.3.3.3:6881"])
        #expect(tracker.announce(from: "3.3.3.3", peer: 3) == ["1.1.1.1:6881", "2.2.2.2:6881"])
        #expect(tracker.scrape() == [2, 0, 1])
        // A seed that lost its data is a leecher again.
        #expect(tracker.announce(from: "2.2.2.2", peer: 2, left: 5) == ["1.1.1.1:6881", "3.3.3.3:6881"])
        #expect(tracker.scrape() == [1, 0, 2])
    }

    @Test("completing counts once a peer")
    func completing() {
        var tracker = TrackerDialogue()
        tracker.announce(.started, from: "1.1.1.1")
        tracker.announce(.completed, from: "1.1.1.1", left: 0)
        tracker.announce(.completed, from: "1.1.1.1", left: 0)
        #expect(tracker.scrape() == [1, 1, 0])
        #expect(tracker.reply.downloaded == 1)
        tracker.announce(.completed, from: "2.2.2.2", peer: 2, left: 0)
        #expect(tracker.scrape() == [2, 2, 0])
    }

    @Test("IPv4 and IPv6 peers are two swarms")
    func families() {
        var tracker = TrackerDialogue()
        tracker.announce(from: "1.1.1.1")
        #expect(tracker.announce(from: "2001:db8::1", peer: 2) == [])
        #expect(tracker.announce(from: "2001:db8:1::1", peer: 3, left: 0) == ["[2001:db8::1]:6881"])
        #expect(tracker.scrape(1, .v4) == [0, 0, 1])
        #expect(tracker.scrape(1, .v6) == [1, 0, 1])
    }

    @Test("an answer has 50 peers, as many as are wanted, and never more than 200 (T6)")
    func wanted() {
        var tracker = TrackerDialogue()
        for number in 0..<300 {
            tracker.announce(from: "1.1.\(number / 100).\(number % 100)", peer: UInt32(number), wanted: 0)
        }
        #expect(tracker.announce(from: "9.9.9.9", peer: 999)?.count == 50)
        #expect(tracker.announce(from: "9.9.9.9", peer: 999, wanted: 7)?.count == 7)
        #expect(tracker.announce(from: "9.9.9.9", peer: 999, wanted: 0) == [])
        #expect(tracker.announce(from: "9.9.9.9", peer: 999, wanted: .max)?.count == 200)
        #expect(Set(tracker.peers).count == 200)
    }

    @Test("a peer is gone that was silent for twice the interval (T7)")
    func expiry() {
        var tracker = TrackerDialogue()
        tracker.announce(from: "1.1.1.1", peer: 1)
        tracker.announce(from: "2001:db8::1", peer: 3)
        tracker.now = .zero + .seconds(1800)
        tracker.announce(from: "2.2.2.2", peer: 2)
        tracker.now = .zero + .seconds(3600)
        tracker.sweep()
        #expect(tracker.registry.peerCount == 3)
        tracker.now = .zero + .seconds(3632)
        tracker.sweep()
        #expect(tracker.registry.peerCount == 1)
        #expect(tracker.announce(from: "2.2.2.2", peer: 2) == [])
        tracker.now = .zero + .seconds(7300)
        tracker.sweep()
        #expect(tracker.registry.peerCount == 0)
        #expect(tracker.registry.swarmCount == 0)
    }

    @Test("a young tracker, and one whose swarm has nobody else, asks to announce sooner")
    func intervals() {
        var tracker = TrackerDialogue()
        tracker.announce(from: "1.1.1.1")
        tracker.announce(from: "2.2.2.2", peer: 2)
        #expect(tracker.reply.interval == 225)
        tracker.now = .zero + .seconds(3600)
        tracker.announce(from: "2.2.2.2", peer: 2)
        #expect(tracker.reply.interval == 1800)
        #expect(tracker.reply.minInterval == 900)
        tracker.announce(from: "2.2.2.2", torrent: 2, peer: 2)
        #expect(tracker.reply.interval == 225)
        #expect(tracker.reply.minInterval == 225)
    }
}
