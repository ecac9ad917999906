import CLinux
import Glibc
package import Primitives

/// Whom a listener tells.
package protocol StreamListenerHandler: AnyObject {
    /// A connection came in; it wants to read, and is closed at its first event unless it is given a handler.
    func listener(_ listener: StreamListener, accepted stream: TCPStream, from remote: Endpoint)
}

/// Whom a listener gives connections to that are not to be streams of the loop: a C library has them.
package protocol ConnectionTaker: AnyObject {
    /// A connection came in. The descriptor, which does not block, is the taker's to close.
    func listener(_ listener: StreamListener, handed descriptor: Int32, from remote: Endpoint)
    /// Those that waited have been handed over, for this turn.
    func listenerAcceptedAll(_ listener: StreamListener)
}

/// Accepts TCP connections, for a handler or for a taker.
package final class StreamListener: PolledSocket {
    /// Connections accepted in one turn, so that a flood of them leaves the others their turn.
    private static let acceptsPerTurn = 64
    /// How long accepting rests when descriptors have run out: the pending connection keeps the listener readable, so
    /// going on would spin.
    private static let restWithoutDescriptors: Duration = .milliseconds(250)

    /// While there is none, connections wait in the kernel; the listener closes if it was set and is gone.
    package weak var handler: (any StreamListenerHandler)? {
        didSet { wantsRead = handler != nil }
    }
    /// As the handler, and instead of one.
    package weak var taker: (any ConnectionTaker)? {
        didSet { wantsRead = taker != nil }
    }
    /// How often accepting rested because descriptors had run out.
    package private(set) var restCount = 0
    private var restTimer: Timer?

    /// Listens at `endpoint`; with port 0 the kernel picks one, which `localEndpoint` tells.
    package convenience init(
        loop: Loop,
        endpoint: Endpoint,
        backlog: Int32 = 512,
        handler: (any StreamListenerHandler)? = nil
    ) throws(SocketError) {
        try self.init(loop: loop, listening: Descriptor.listening(at: endpoint, backlog: backlog), handler: handler)
    }

    init(
        loop: Loop,
        listening descriptor: consuming Descriptor,
        handler: (any StreamListenerHandler)?
    ) throws(SocketError) {
        self.handler = handler
        try super.init(loop: loop, descriptor: descriptor)
        wantsRead = handler != nil
    }

    package override func close() {
        restTimer?.close()
        restTimer = nil
        super.close()
    }

    override func ready(toRead: Bool, toWrite: Bool) {
        guard handler != nil || taker != nil else { return close() }
        for _ in 0..<StreamListener.acceptsPerTurn {
            guard isOpen, wantsRead, accept() else { break }
        }
        taker?.listenerAcceptedAll(self)
    }

    /// Takes one connection; false when there is none or it must rest.
    private func accept() -> Bool {
        var remote = sockaddr_storage()
        var length: socklen_t = 0
        let number = clinux_accept(descriptor, &remote, &length)
        guard number >= 0 else { return goesOn(after: 0 &- number) }
        let accepted = Descriptor(number: number)
        let endpoint = withUnsafeBytes(of: &remote) { SocketAddress.endpoint(in: $0, count: Int(length)) }
        // A connection without an address is over already. Its descriptor closes itself here and below.
        guard let endpoint else { return true }
        if let taker {
            taker.listener(self, handed: accepted.take(), from: endpoint)
        } else if let stream = try? TCPStream(loop: loop, accepted: accepted, from: endpoint) {
            handler?.listener(self, accepted: stream, from: endpoint)
        }
        return true
    }

    private func goesOn(after error: Int32) -> Bool {
        switch error {
        case EAGAIN: return false
        case EMFILE, ENFILE, ENOBUFS, ENOMEM:
            rest()
            return false
        // All else is the fate of that one connection (accept(2)): the next may be well.
        default: return true
        }
    }

    private func rest() {
        restCount += 1
        wantsRead = false
        let timer = restTimer ?? Timer(loop: loop, handler: self)
        restTimer = timer
        timer.start(at: loop.now + StreamListener.restWithoutDescriptors)
    }
}

extension StreamListener: TimerHandler {
    /// The rest is over.
    package func timerFired(_ timer: Timer) {
        wantsRead = true
    }
}
