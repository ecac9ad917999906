import EventLoop
import Primitives

/// Hands each datagram of a node's port to whom it is for.
///
/// BEP 15's answers begin with a zero byte, messages of the DHT with `d`; nothing else is spoken there.
final class DatagramRouter: DatagramHandler {
    let sockets: DatagramSockets
    private unowned let core: NodeCore

    init(_ sockets: [DatagramSocket], core: NodeCore) {
        self.sockets = DatagramSockets(sockets)
        self.core = core
        for socket in sockets { socket.handler = self }
    }

    func datagramReceived(_ bytes: RawSpan, from sender: Endpoint, on socket: DatagramSocket) {
        if bytes.byte(at: 0) == 0 {
            core.trackers?.received(bytes, from: sender)
        } else {
            core.dht?.received(bytes, from: sender)
        }
    }

    func datagramsDrained(_ socket: DatagramSocket) { core.dht?.drained() }
}
