package import EventLoop
import Glibc
package import Primitives

/// An HTTP/1.1 server on the loop: connections come from listeners of ours, libmicrohttpd reads and writes them.
///
/// Who may connect, for how long and how often is decided here; `HTTPDaemon` carries it to libmicrohttpd.
package final class HTTPServer {
    package private(set) var counters = HTTPCounters()
    package weak var handler: (any HTTPHandler)?
    let limits: HTTPLimits
    private let loop: Loop
    private let listeners: [StreamListener]
    private let daemon: HTTPDaemon
    private var timer: Timer?
    /// How often connections that take too long are looked for.
    private let tick: Duration
    private var waiting = ConnectionQueue(.waiting)
    private var busy = ConnectionQueue(.busy)
    /// Connections of each host that has some.
    private var hosts: [IPAddress: Int] = [:]

    /// Serves what the listeners accept; they stay their owner's to close, after this.
    package init(
        loop: Loop,
        listeners: [StreamListener],
        limits: HTTPLimits = HTTPLimits(),
        handler: any HTTPHandler
    ) throws(SocketError) {
        self.loop = loop
        self.listeners = listeners
        self.limits = limits
        self.handler = handler
        tick = min(.seconds(1), limits.headTimeout / 2)
        daemon = try HTTPDaemon(loop: loop, limits: limits)
        daemon.server = self
        timer = Timer(loop: loop, handler: self)
        for listener in listeners { listener.taker = self }
    }

    deinit {
        close()
    }

    /// Ends every connection; requests that nobody has answered get none.
    package func close() {
        for listener in listeners { listener.taker = nil }
        timer?.close()
        timer = nil
        daemon.close()
    }

    package var connectionCount: Int { waiting.count + busy.count }

    // MARK: Connections

    /// Whether a connection from this host is let in, at the expense of an idle one if need be.
    private func admits(_ sender: IPAddress) -> Bool {
        if isCounted(sender), hosts[sender.host, default: 0] >= limits.mostConnectionsPerHost { return false }
        guard connectionCount >= limits.mostConnections else { return true }
        guard let oldest = waiting.first else { return false }
        counters.displacedConnections += 1
        // Its descriptor closes in the turn that follows, for which `HTTPDaemon` leaves room.
        forget(oldest)
        oldest.sever()
        return true
    }

    private func isCounted(_ address: IPAddress) -> Bool { limits.countsLoopback || !address.isLoopback }

    private func forget(_ connection: HTTPConnection) {
        waiting.remove(connection)
        busy.remove(connection)
    }

    /// The connection is gone.
    func closed(_ connection: HTTPConnection) {
        forget(connection)
        guard connection.isCounted, let count = hosts[connection.sender.address.host] else { return }
        hosts[connection.sender.address.host] = count > 1 ? count - 1 : nil
    }

    // MARK: Requests

    /// The head of a request is there.
    ///
    /// - Parameter hasBody: whether it says that a body follows; `length` says of how many bytes, where it says so.
    /// - Returns: what to answer at once, `nil` to read on.
    func begins(_ exchange: HTTPExchange, method: String, headBytes: Int, hasBody: Bool, length: Int?) -> HTTPResponse?
    {
        let connection = exchange.connection
        counters.requests += 1
        connection.requestCount += 1
        connection.exchange = exchange
        waiting.remove(connection)
        busy.append(connection, at: loop.now)
        let status = fault(of: exchange, method: method, headBytes: headBytes, hasBody: hasBody, length: length)
        guard let status else { return nil }
        counters.rejectedRequests += 1
        return HTTPResponse.fault(status)
    }

    private func fault(
        of exchange: HTTPExchange,
        method: String,
        headBytes: Int,
        hasBody: Bool,
        length: Int?
    ) -> HTTPFault? {
        guard exchange.target.count <= limits.mostBytes(ofTarget: exchange.target) else { return .targetTooLong }
        guard headBytes - exchange.target.count <= limits.mostHeaderBytes else { return .headersTooLong }
        guard let method = HTTPMethod(rawValue: method) else { return .methodNotAllowed }
        exchange.method = method
        guard exchange.target.first == UInt8(ascii: "/") else { return .badRequest }
        guard hasBody else { return nil }
        guard let most = handler?.mostBodyBytes(of: exchange.request) else { return .bodyTooLong }
        // Of an unknown length is what could only be refused after it has been sent.
        guard let length else { return .lengthRequired }
        return length <= most ? nil : .bodyTooLong
    }

    /// The request is read whole.
    func ask(_ exchange: HTTPExchange) {
        exchange.phase = .asked
        guard let handler else { return exchange.send(HTTPResponse.fault(.unavailable)) }
        handler.respond(to: exchange.request, through: exchange)
    }

    /// Whether the connection ends with the request it is at.
    func isLast(on connection: HTTPConnection) -> Bool {
        connection.requestCount >= limits.mostRequestsPerConnection
    }

    /// The answer is sent, or the connection broken.
    func ended(_ exchange: HTTPExchange) {
        let connection = exchange.connection
        exchange.end()
        connection.exchange = nil
        guard connection.phase == .busy else { return }
        busy.remove(connection)
        waiting.append(connection, at: loop.now)
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
        let counted = isCounted(remote.address)
        let now = loop.now
        let connection = HTTPConnection(descriptor: descriptor, sender: remote, isCounted: counted, at: now)
        if counted { hosts[remote.address.host, default: 0] += 1 }
        waiting.append(connection, at: now)
        if !daemon.add(connection) { closed(connection) }
    }

    package func listenerAcceptedAll(_ listener: StreamListener) {
        daemon.run()
        if let timer, timer.deadline == nil { timer.start(at: loop.now + tick) }
    }
}

extension HTTPServer: TimerHandler {
    /// Breaks what takes too long.
    package func timerFired(_ timer: Timer) {
        let now = loop.now
        while let oldest = waiting.first, now - oldest.since >= limits.headTimeout { expire(oldest) }
        while let oldest = busy.first, now - oldest.since >= limits.exchangeTimeout {
            oldest.exchange?.send(HTTPResponse.fault(.unavailable))
            expire(oldest)
        }
        daemon.run()
        if connectionCount > 0 { timer.start(at: now + tick) }
    }

    private func expire(_ connection: HTTPConnection) {
        counters.expiredConnections += 1
        forget(connection)
        connection.sever()
    }
}
