import PeerWire
import Primitives
import Testing

/// When a connection is given up (hardening B9, N22) and when it says that it lives.
@Suite("Deadline")
struct DeadlineTests {
    /// What `advanced` says at a time after the start.
    static func verdict(_ remote: inout Remote, after seconds: Double) -> Result<Bool, WireError> {
        do throws(WireError) {
            return .success(try remote.connection.advanced(to: Remote.start + .seconds(seconds)))
        } catch {
            return .failure(error)
        }
    }

    @Test("an accepted connection has 5 s to name the protocol")
    func greeting() {
        var remote = Remote(role: .accepted)
        remote.send(Array(Remote.handshake()[..<19]))

        #expect(remote.connection.nextDeadline == Remote.start + .seconds(5))
        #expect(DeadlineTests.verdict(&remote, after: 4.9) == .success(false))
        #expect(DeadlineTests.verdict(&remote, after: 5) == .failure(.handshakeTimedOut))
    }

    @Test("a dialled connection has 4 s for its first byte")
    func answer() {
        var remote = Remote()

        #expect(remote.connection.nextDeadline == Remote.start + .seconds(4))
        #expect(DeadlineTests.verdict(&remote, after: 3.9) == .success(false))
        #expect(DeadlineTests.verdict(&remote, after: 4) == .failure(.handshakeTimedOut))
    }

    @Test(
        "the whole handshake has 10 s in both directions",
        arguments: [Connection.Role.accepted, .dialled(Remote.infoHash)]
    )
    func handshake(role: Connection.Role) {
        var remote = Remote(role: role)
        remote.send(Array(Remote.handshake()[..<67]))

        #expect(remote.connection.nextDeadline == Remote.start + .seconds(10))
        #expect(DeadlineTests.verdict(&remote, after: 9.9) == .success(false))
        #expect(DeadlineTests.verdict(&remote, after: 10) == .failure(.handshakeTimedOut))
    }

    @Test("after the handshake of a secure session messages follow at once, and idleness counts from there")
    func established() {
        let handshake = Handshake(infoHash: Remote.infoHash, peerID: Remote.peerID)
        var remote = Remote(established: handshake)
        #expect(remote.connection.supportsExtensions == true)
        #expect(remote.connection.remotePeerID == Remote.peerID)
        #expect(remote.connection.remoteClientName.hasPrefix("Speaker 1"))
        #expect(!remote.connection.remoteClientName.contains("\u{1b}"))
        remote.send(frame(1))
        #expect(remote.events == [.unchoke])
        #expect(DeadlineTests.verdict(&remote, after: 119.9) == .success(true))
        #expect(DeadlineTests.verdict(&remote, after: 120) == .failure(.idle))
    }

    @Test("after 120 s without a whole message the connection is idle, whatever dripped in")
    func idle() {
        var remote = Remote.connected()
        remote.send([0, 0], at: Remote.start + .seconds(100))
        remote.connection.sent(at: Remote.start + .seconds(60))

        #expect(remote.connection.nextDeadline == Remote.start + .seconds(120))
        #expect(DeadlineTests.verdict(&remote, after: 119) == .success(false))
        #expect(DeadlineTests.verdict(&remote, after: 120) == .failure(.idle))
    }

    @Test("messages and payload put the idle deadline off")
    func activity() {
        var remote = Remote.connected()
        remote.send([0, 0, 0, 11, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1], at: Remote.start + .seconds(50))
        remote.connection.sent(at: Remote.start + .seconds(100))
        #expect(DeadlineTests.verdict(&remote, after: 169) == .success(false))
        remote.send([2], at: Remote.start + .seconds(160))
        remote.connection.sent(at: Remote.start + .seconds(270))
        #expect(DeadlineTests.verdict(&remote, after: 279) == .success(false))
        #expect(DeadlineTests.verdict(&remote, after: 280) == .failure(.idle))
    }

    @Test("a keep-alive is due after 90 s of silence of ours, once")
    func keepAlive() {
        var remote = Remote.connected()

        #expect(remote.connection.nextDeadline == Remote.start + .seconds(90))
        #expect(DeadlineTests.verdict(&remote, after: 89) == .success(false))
        #expect(DeadlineTests.verdict(&remote, after: 90) == .success(true))
        #expect(DeadlineTests.verdict(&remote, after: 91) == .success(false))
        remote.send([0, 0, 0, 0], at: Remote.start + .seconds(100))
        #expect(remote.connection.nextDeadline == Remote.start + .seconds(180))
    }
}
