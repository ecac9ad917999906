import CMicrohttpd
package import EventLoop
import Glibc
package import Primitives

/// An HTTP/1.1 server on the loop: connections come from listeners of ours, libmicrohttpd reads and writes them.
///
/// Who may connect, for how long, and with what head is decided here; what is left of it goes to libmicrohttpd through
/// `HTTPDaemon`. A connection has one request: clients of a tracker come back in half an hour.
package final class HTTPServer {
    /// Whether there is a libmicrohttpd to load.
    package static var isInstalled: Bool { cmicrohttpd_is_installed() }

    package internal(set) var counters = HTTPCounters()
    /// Whose the server is.
    private unowned let handler: any HTTPHandler
    let limits: HTTPLimits
    private let proxies: TrustedProxies
    let loop: Loop
    private let listeners: [StreamListener]
    /// For heads of usual length, and for those that need more memory.
    private let daemon: HTTPDaemon
    private let largeDaemon: HTTPDaemon
    private let window: HeadWindow
    private var timer: Timer?
    /// How often connections that take too long are looked for.
    private let tick: Duration
    private var arriving = ConnectionQueue(.arriving)
    private var busy = ConnectionQueue(.busy)
    private var leaving = ConnectionQueue(.leaving)
    /// Connections of each host that has some.
    private var hosts: [IPAddress: Int] = [:]
    /// Bytes of long bodies and long answers.
    private var bytesInFlight = 0
    private var isClosed = false

    /// Up to 32 KiB libmicrohttpd takes from `malloc`; more is a mapping made and unmade for each connection, which was
    /// a third of the time that an announce cost.
    private static let usualBytes = 32 << 10
    /// A head, and 72 bytes for each of its headers and parameters, all at their limits.
    private static let mostBytes = 64 << 10
    /// A head of so many bytes, and as many headers and parameters as there may be, are content with the usual memory.
    private static let usualHeadBytes = 12 << 10

    /// Serves what the listeners accept; they stay their owner's to close, after this.
    ///
    /// - Parameter proxies: who may say that a request is somebody else's.
    /// - Parameter handler: outlives the server.
    package init(
        loop: Loop,
        listeners: [StreamListener],
        limits: HTTPLimits = HTTPLimits(),
        proxies: TrustedProxies = TrustedProxies(),
        handler: any HTTPHandler
    ) throws(SocketError) {
        self.loop = loop
        self.listeners = listeners
        self.limits = limits
        self.proxies = proxies
        self.handler = handler
        window = HeadWindow(limits)
        tick = min(.seconds(1), limits.headTimeout / 2)
        daemon = try HTTPDaemon(loop: loop, limits: limits, connectionBytes: HTTPServer.usualBytes)
        largeDaemon = try HTTPDaemon(loop: loop, limits: limits, connectionBytes: HTTPServer.mostBytes)
        daemon.server = self
        largeDaemon.server = self
        timer = Timer(loop: loop, handler: self)
        for listener in listeners { listener.taker = self }
    }

    deinit {
        // Nobody can be asked any more.
        daemon.server = nil
        largeDaemon.server = nil
        close()
    }

    /// Ends every connection; requests that nobody has answered get none.
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        for listener in listeners { listener.taker = nil }
        timer?.close()
        timer = nil
        while let connection = arriving.first ?? leaving.first { drop(connection) }
        daemon.close()
        largeDaemon.close()
    }

    package var connectionCount: Int { arriving.count + busy.count + leaving.count }

    // MARK: Connections

    /// Whether a connection from this host is let in, at the expense of an idle one if need be.
    private func admits(_ sender: IPAddress) -> Bool {
        if isCounted(sender), hosts[sender.host, default: 0] >= limits.mostConnectionsPerHost { return false }
        guard connectionCount >= limits.mostConnections else { return true }
        if let oldest = leaving.first ?? arriving.first {
            counters.displacedConnections += 1
            drop(oldest)
            return true
        }
        guard let oldest = busy.first, loop.now - oldest.since >= HTTPLimits.patience else { return false }
        counters.displacedConnections += 1
        giveUp(oldest)
        return true
    }

    /// A proxy connects for many.
    private func isCounted(_ address: IPAddress) -> Bool {
        address.isLoopback ? limits.countsLoopback : !proxies.trusts(address)
    }

    /// Closes a connection that is not libmicrohttpd's.
    private func drop(_ connection: HTTPConnection) {
        connection.close()
        closed(connection)
    }

    /// The connection is gone.
    func closed(_ connection: HTTPConnection) {
        remove(connection)
        _ = charge(connection, 0)
        guard connection.isCounted, let count = hosts[connection.sender.address.host] else { return }
        hosts[connection.sender.address.host] = count > 1 ? count - 1 : nil
    }

    private func remove(_ connection: HTTPConnection) {
        switch connection.phase {
        case .arriving: arriving.remove(connection)
        case .busy: busy.remove(connection)
        case .leaving: leaving.remove(connection)
        }
    }

    // MARK: Heads

    /// Something has come, or the end.
    func readable(_ connection: HTTPConnection) {
        if connection.phase == .leaving {
            if !window.discard(from: connection.descriptor) { drop(connection) }
        } else if look(at: connection) {
            run()
        }
    }

    /// Looks at what a connection has sent.
    ///
    /// - Returns: whether libmicrohttpd has got it.
    private func look(at connection: HTTPConnection) -> Bool {
        switch window.look(at: connection.descriptor, beyond: connection.seen) {
        case .waiting(let count):
            connection.seen = count
            if !connection.watch(beyond: count) { drop(connection) }
            return false
        case .gone:
            drop(connection)
            return false
        case .fault(let fault):
            refuse(connection, fault)
            return false
        case .head(let head):
            guard let client = proxies.client(of: head, from: connection.sender) else {
                refuse(connection, .badRequest)
                return false
            }
            if let fault = fault(of: head, from: client) {
                refuse(connection, fault)
                return false
            }
            connection.client = client
            return begin(head, on: connection)
        }
    }

    private func fault(of head: RequestHead, from client: Endpoint) -> HTTPFault? {
        guard
            head.target.count <= limits.mostTargetBytes
                || head.target.count <= limits.mostBytes(ofTarget: head.target)
        else { return .targetTooLong }
        guard head.headerBytes <= limits.mostHeaderBytes, head.headerCount <= HTTPLimits.mostHeaders else {
            return .headersTooLong
        }
        // libmicrohttpd takes the query apart, into memory that has an end.
        guard head.target.count(where: { $0 == UInt8(ascii: "&") }) < HTTPLimits.mostParameters else {
            return .targetTooLong
        }
        guard let method = head.method else { return .methodNotAllowed }
        guard head.target.first == UInt8(ascii: "/") else { return .badRequest }
        guard head.hasBody else { return nil }
        let request = HTTPRequest(method: method, target: head.target, sender: client)
        guard let most = handler.mostBodyBytes(of: request) else { return .bodyTooLong }
        // Of an unknown length is what could only be refused after it has been sent.
        guard !head.isChunked, let length = head.bodyBytes else { return .lengthRequired }
        guard length <= most else { return .bodyTooLong }
        return length <= HTTPLimits.shortBytes || bytesInFlight + length <= limits.mostBytesInFlight ? nil : .overloaded
    }

    private func begin(_ head: RequestHead, on connection: HTTPConnection) -> Bool {
        counters.requests += 1
        connection.head = head
        _ = charge(connection, head.bodyBytes ?? 0)
        connection.unwatch()
        arriving.remove(connection)
        busy.append(connection, at: loop.now)
        let isUsual = head.target.count + head.headerBytes <= HTTPServer.usualHeadBytes
        if (isUsual ? daemon : largeDaemon).add(connection) { return true }
        closed(connection)
        return false
    }

    /// Lets libmicrohttpd do what there is to do.
    private func run() {
        daemon.run()
        if largeDaemon.hasConnections { largeDaemon.run() }
    }

    /// Answers in words of ours.
    private func refuse(_ connection: HTTPConnection, _ fault: HTTPFault) {
        counters.rejectedRequests += 1
        arriving.remove(connection)
        leaving.append(connection, at: loop.now)
        let isSent = window.send(fault.reply, to: connection.descriptor)
        shutdown(connection.descriptor, Int32(SHUT_WR))
        guard isSent, window.discard(from: connection.descriptor), connection.watch(beyond: 0) else {
            return drop(connection)
        }
    }

    /// Counts what a body, and then an answer, takes of the memory for all. False if there is not so much.
    func charge(_ connection: HTTPConnection, _ bytes: Int) -> Bool {
        let counted = bytes > HTTPLimits.shortBytes ? bytes : 0
        let others = bytesInFlight - connection.bytesInFlight
        guard counted == 0 || counted <= limits.mostBytesInFlight - others else { return false }
        bytesInFlight = others + counted
        connection.bytesInFlight = counted
        return true
    }

    /// Breaks a connection that is libmicrohttpd's.
    private func giveUp(_ connection: HTTPConnection) {
        connection.exchange?.send(HTTPResponse.unavailable)
        busy.remove(connection)
        connection.sever()
    }

    // MARK: Requests

    /// The request is read whole.
    func ask(_ exchange: HTTPExchange) {
        exchange.phase = .asked
        guard !isClosed else { return exchange.send(HTTPResponse.unavailable) }
        handler.respond(to: exchange.request, through: exchange)
    }
}

extension HTTPServer: ConnectionTaker {
    package func listener(_ listener: StreamListener, handed descriptor: Int32, from remote: Endpoint) {
        counters.connections += 1
        guard admits(remote.address) else {
            counters.refusedConnections += 1
            _ = Glibc.close(descriptor)
            return
        }
        let now = loop.now
        let isCounted = isCounted(remote.address)
        let connection = HTTPConnection(
            descriptor: descriptor,
            sender: remote,
            isCounted: isCounted,
            server: self,
            at: now
        )
        if isCounted { hosts[remote.address.host, default: 0] += 1 }
        arriving.append(connection, at: now)
        // Most have sent their request by the time they are accepted.
        _ = look(at: connection)
    }

    package func listenerAcceptedAll(_ listener: StreamListener) {
        run()
        if let timer, timer.deadline == nil { timer.start(at: loop.now + tick) }
    }
}

extension HTTPServer: TimerHandler {
    /// Closes what takes too long.
    package func timerFired(_ timer: Timer) {
        let now = loop.now
        while let oldest = arriving.first, now - oldest.since >= limits.headTimeout {
            counters.expiredConnections += 1
            drop(oldest)
        }
        while let oldest = leaving.first, now - oldest.since >= HTTPLimits.leavingTimeout { drop(oldest) }
        while let oldest = busy.first, now - oldest.since >= limits.exchangeTimeout {
            counters.expiredConnections += 1
            giveUp(oldest)
        }
        run()
        if connectionCount > 0 { timer.start(at: now + tick) }
    }
}
