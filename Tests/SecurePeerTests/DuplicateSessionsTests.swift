import Cryptography
import Primitives
import Testing

@testable import SecurePeer

@Suite("Two sessions with one key for one swarm")
struct DuplicateSessionsTests {
    private static let small = Ed25519.PublicKey(UInt256(first: 1, second: .max, third: .max, fourth: .max))
    private static let large = Ed25519.PublicKey(UInt256(first: 0x0100, second: 0, third: 0, fourth: 0))
    private static let start = Instant.zero

    private func keepsNewer(
        older: Bool,
        newer: Bool,
        after gap: Duration,
        own: Ed25519.PublicKey = small,
        other: Ed25519.PublicKey = large
    ) -> Bool {
        DuplicateSessions.keepsNewer(
            .init(wasDialled: newer, beganAt: DuplicateSessionsTests.start + gap),
            than: .init(wasDialled: older, beganAt: DuplicateSessionsTests.start),
            between: own,
            and: other
        )
    }

    @Test("dialled the same way, the newer one stays, whenever", arguments: [0, 1, 5, 6, 3600])
    func sameDirection(seconds: Int) {
        for wasDialled in [true, false] {
            #expect(keepsNewer(older: wasDialled, newer: wasDialled, after: .seconds(seconds)))
        }
    }

    @Test("dialled by both within five seconds, the one that the smaller key dialled", arguments: [0, 1, 5])
    func crossing(seconds: Int) {
        let (small, large) = (DuplicateSessionsTests.small, DuplicateSessionsTests.large)
        // We have the smaller key: ours stays.
        #expect(keepsNewer(older: false, newer: true, after: .seconds(seconds)))
        #expect(!keepsNewer(older: true, newer: false, after: .seconds(seconds)))
        // The other side has it.
        #expect(!keepsNewer(older: false, newer: true, after: .seconds(seconds), own: large, other: small))
        #expect(keepsNewer(older: true, newer: false, after: .seconds(seconds), own: large, other: small))
    }

    @Test("dialled by both further apart, the older one")
    func apart() {
        for wasDialled in [true, false] {
            #expect(!keepsNewer(older: wasDialled, newer: !wasDialled, after: .milliseconds(5001)))
        }
    }

    @Test("both sides keep the same one", arguments: UInt64(1)...50)
    func agreement(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        func key() -> Ed25519.PublicKey {
            Ed25519.PublicKey(
                UInt256(first: random.next(), second: random.next(), third: random.next(), fourth: random.next())
            )
        }
        let (one, other) = (key(), key())
        let gap = Duration.milliseconds(Int.random(in: 0..<10_000, using: &random))
        let (older, newer) = (Bool.random(using: &random), Bool.random(using: &random))
        #expect(
            keepsNewer(older: older, newer: newer, after: gap, own: one, other: other)
                == keepsNewer(older: !older, newer: !newer, after: gap, own: other, other: one)
        )
    }
}
