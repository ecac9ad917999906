import Cryptography
import Primitives
import TestSupport
import Testing

@testable import SecurePeer

@Suite("What a session leaves in memory")
struct SessionLeftoverTests {
    /// A session between two with new keys throughout; those of the known answers lie about in other tests.
    private static func sessions() throws -> Ends {
        let alice = SecureHandshake(
            initiating: try Known.swarm(),
            as: try identity(),
            mode: .open,
            greeting: Known.greeting(),
            now: .zero
        )
        guard var alice else { throw SecureFault.outOfMemory }
        var bob = SecureHandshake(
            respondingAs: try identity(),
            swarmKeys: [],
            acceptsOpen: true,
            greeting: Known.greeting(),
            now: .zero
        )
        #expect(alice.hears(bob.hears(try alice.opens()).sent).event != nil)
        var output = ByteWriter()
        let alices = try alice.agree(into: &output, at: .zero)
        #expect(bob.hears(output.bytes).event != nil)
        return Ends(alice: alices, bob: try bob.agree(into: &output, at: .zero))
    }

    private struct Ends: ~Copyable {
        var alice: SecureSession
        var bob: SecureSession
    }

    private static func identity() throws -> SessionIdentity {
        let identity = SessionIdentity(try #require(Ed25519.SigningKey.random()), at: Known.unixSeconds)
        return try #require(identity)
    }

    @Test("its keys are in locked memory and nowhere else, after the handshake and after records")
    func keys() throws {
        var ends = try SessionLeftoverTests.sessions()
        while !SessionLeftoverTests.canFindKeys(of: ends.alice) { ends = try SessionLeftoverTests.sessions() }
        for _ in 0..<3 {
            #expect(ends.bob.hears(try ends.alice.says([1, 2, 3])) == .data([1, 2, 3], consumed: 22))
            #expect(ends.alice.hears(try ends.bob.says([4])) == .data([4], consumed: 20))
        }
        let isLeft = Leftovers.has(ends.alice.keys.memory.bytes.extracting(KeyRoom.Slot.initiator.range))
        #expect(isLeft == false)
        let isOtherLeft = Leftovers.has(ends.alice.keys.memory.bytes.extracting(KeyRoom.Slot.responder.range))
        #expect(isOtherLeft == false)
    }

    private static func canFindKeys(of session: borrowing SecureSession) -> Bool {
        [KeyRoom.Slot.initiator, .responder].allSatisfy { slot in
            Leftovers.canFind(session.keys.memory.bytes.extracting(slot.range))
        }
    }
}
