import CBench
import Cryptography
import Primitives
import SecurePeer

/// Secure sessions: what a handshake costs each side, and what a record costs beside its cipher alone.
enum SessionParts {
    static func handshakes() throws(BenchError) -> [Measurement] {
        let party = try Party()
        let hello = try party.hello(.open)
        return try sides(party) + [
            try Measurement.of("the responder's until message 2 has left", operations: 4) { () throws(BenchError) in
                for _ in 0..<4 { try party.answer(hello) }
            },
            try strangers(party),
        ]
    }

    /// Whole handshakes: what each side does in one.
    private static func sides(_ party: Party) throws(BenchError) -> [Measurement] {
        var (initiator, responder) = (Duration.seconds(1000), Duration.seconds(1000))
        let before = cbench_allocations()
        let count = 100
        for _ in 0..<count {
            let meeting = try party.meeting()
            initiator = min(initiator, meeting.initiator)
            responder = min(responder, meeting.responder)
        }
        let allocations = Double(cbench_allocations() - before) / Double(2 * count)
        return [("initiator", initiator), ("responder", responder)].map { side, time in
            Measurement(
                name: "the \(side)'s part of a handshake",
                nanoseconds: time.inSeconds * 1e9,
                allocations: allocations
            )
        }
    }

    /// Somebody says hello in a private swarm of which we know nothing, and we look for it among as many as we may
    /// have.
    private static func strangers(_ party: Party) throws(BenchError) -> Measurement {
        guard let key = SwarmKey.random() else { throw .failed("no memory is left for a key") }
        let hello = try party.hello(.privateSwarm(key))
        let keys = (0..<SecureLimits().swarmKeyCount).compactMap { _ in SwarmKey.random() }
        return try Measurement.of("a private hello that fits none of 16 keys", operations: 4) { () throws(BenchError) in
            for _ in 0..<4 where try !party.refuses(hello, keys: keys) { throw .failed("a key fits") }
        }
    }
}

/// An initiator and a responder without a network between them.
struct Party {
    let alice: SessionIdentity
    let bob: SessionIdentity
    let greeting = Greeting(capabilities: 0, client: "shoal", listenPort: 6881)
    let swarm = SwarmTag(.max)

    init() throws(BenchError) {
        guard let first = Ed25519.SigningKey.random(), let second = Ed25519.SigningKey.random(),
            let alice = SessionIdentity(first, at: 0), let bob = SessionIdentity(second, at: 0)
        else { throw .failed("no memory is left for keys") }
        self.alice = alice
        self.bob = bob
    }

    func hello(_ mode: SessionMode) throws(BenchError) -> [UInt8] {
        var output = ByteWriter()
        do throws(SecureFault) {
            var initiator = try initiating(mode)
            try initiator.start(into: &output)
        } catch {
            throw .failed("no hello: \(error)")
        }
        return output.bytes
    }

    func answer(_ hello: [UInt8]) throws(BenchError) {
        var responder = responding([])
        var output = ByteWriter()
        do throws(SecureFault) {
            _ = try responder.next(in: hello.span.bytes, at: .zero, unixSeconds: 0, into: &output)
        } catch {
            throw .failed("no answer: \(error)")
        }
    }

    func refuses(_ hello: [UInt8], keys: [SwarmKey]) throws(BenchError) -> Bool {
        var responder = responding(keys)
        var output = ByteWriter()
        do throws(SecureFault) {
            _ = try responder.next(in: hello.span.bytes, at: .zero, unixSeconds: 0, into: &output)
            return false
        } catch {
            return error == .noSwarmKeyFits
        }
    }

    /// Both sides of a handshake, and what each of them took.
    func meeting() throws(BenchError) -> Meeting {
        let clock = ContinuousClock()
        var (toBob, toAlice) = (ByteWriter(), ByteWriter())
        do throws(SecureFault) {
            let begun = clock.now
            var initiator = try initiating(.open)
            try initiator.start(into: &toBob)
            let greeted = clock.now
            var responder = responding([])
            _ = try responder.next(in: toBob.bytes.span.bytes, at: .zero, unixSeconds: 0, into: &toAlice)
            let answered = clock.now
            toBob.removeAll()
            _ = try initiator.next(in: toAlice.bytes.span.bytes, at: .zero, unixSeconds: 0, into: &toBob)
            let alice = try initiator.agree(into: &toBob, at: .zero)
            let proved = clock.now
            _ = try responder.next(in: toBob.bytes.span.bytes, at: .zero, unixSeconds: 0, into: &toAlice)
            let bob = try responder.agree(into: &toAlice, at: .zero)
            return Meeting(
                sessions: Sessions(alice: alice, bob: bob),
                initiator: (greeted - begun) + (proved - answered),
                responder: (answered - greeted) + (clock.now - proved)
            )
        } catch {
            throw .failed("the handshake fails: \(error)")
        }
    }

    private func initiating(_ mode: SessionMode) throws(SecureFault) -> SecureHandshake {
        guard
            let initiator = SecureHandshake(
                initiating: swarm,
                as: alice,
                mode: mode,
                greeting: greeting,
                now: .zero
            )
        else { throw .outOfMemory }
        return initiator
    }

    private func responding(_ keys: [SwarmKey]) -> SecureHandshake {
        SecureHandshake(respondingAs: bob, swarmKeys: keys, acceptsOpen: true, greeting: greeting, now: .zero)
    }
}

/// Both ends of one session.
struct Sessions: ~Copyable {
    var alice: SecureSession
    var bob: SecureSession
}

/// Two ends that have met.
struct Meeting: ~Copyable {
    var sessions: Sessions
    let initiator: Duration
    let responder: Duration
}
