import EventLoop
import Primitives
import TrackerProtocol

/// Carries datagrams between the sockets and the UDP side of the tracker.
final class UDPDriver {
    private var tracker: UDPTracker
    private unowned let core: TrackerCore
    private var answer = ByteWriter(capacity: DatagramSocket.mostBytes)
    /// When the batch of datagrams that is being taken in began: reading the clock costs as much as a table look-up.
    private var batchTime: Instant?

    /// Announces come in bursts of thousands where a tracker was out of reach for a while; the kernel's default queue
    /// holds about 280.
    private static let receiveBuffer: Int32 = 4 << 20

    init(sockets: [DatagramSocket], core: TrackerCore) {
        tracker = UDPTracker(seed: OSRandom.seed())
        self.core = core
        for socket in sockets {
            socket.setReceiveBuffer(bytes: UDPDriver.receiveBuffer)
            socket.handler = self
        }
    }
}

extension UDPDriver: DatagramHandler {
    func datagramReceived(_ bytes: RawSpan, from sender: Endpoint, on socket: DatagramSocket) {
        let now = batchTime ?? core.now
        batchTime = now
        tracker.received(bytes, from: sender, &core.registry, core.admission, at: now, into: &answer)
        guard !answer.isEmpty else { return }
        let answer = answer.bytes
        socket.queue(answer.span.bytes, to: sender)
    }

    func datagramsDrained(_ socket: DatagramSocket) {
        batchTime = nil
        socket.flush()
    }
}
