import CMicrohttpd
import EventLoop
import Glibc
import Primitives

/// libmicrohttpd without thread and listening socket, run by the loop whenever its epoll descriptor is ready.
///
/// libmicrohttpd calls back only from inside `run`, `add` and `close`.
final class HTTPDaemon {
    /// Whom it serves, and whose it is.
    unowned var server: HTTPServer?
    private let loop: Loop
    private var raw: OpaquePointer?
    private var poll: BorrowedSocket?
    /// Rings when there is work that no descriptor tells of.
    private var again: Timer?
    /// The connection that is being added.
    private var added: HTTPConnection?
    private var isRunning = false
    private var connectionCount = 0

    var hasConnections: Bool { connectionCount > 0 }

    /// - Parameter connectionBytes: memory for the head of a request, for what libmicrohttpd makes of it, and that of
    ///   the answer.
    init(loop: Loop, limits: HTTPLimits, connectionBytes: Int) throws(SocketError) {
        self.loop = loop
        var callbacks = cmicrohttpd_callbacks()
        // Safe: `close`, which `deinit` calls, ends libmicrohttpd before the object goes.
        callbacks.context = Unmanaged.passUnretained(self).toOpaque()
        callbacks.handle = handleRequest
        callbacks.complete = completeRequest
        callbacks.connection = notifyConnection
        // As many as there may be at all, and those whose ends it has not noticed yet.
        let connections = UInt32(clamping: limits.mostConnections * 2)
        // Inactivity within a request or an answer; whole phases are timed by the server.
        let timeout = UInt32(clamping: Int(limits.headTimeout / .seconds(1)) + 1)
        raw = cmicrohttpd_start(&callbacks, connections, connectionBytes, timeout)
        guard let raw else { throw .tooManyOpenFiles }
        again = Timer(loop: loop, handler: self)
        do throws(SocketError) {
            poll = try BorrowedSocket(loop: loop, number: cmicrohttpd_epoll(raw), handler: self)
        } catch {
            MHD_stop_daemon(raw)
            self.raw = nil
            throw error
        }
        poll?.wantsRead = true
    }

    deinit {
        close()
    }

    func close() {
        guard let raw else { return }
        poll?.close()
        again?.close()
        // libmicrohttpd aborts the program if it is stopped with a connection suspended.
        for exchange in suspended.values { exchange.send(.unavailable) }
        MHD_run(raw)
        self.raw = nil
        MHD_stop_daemon(raw)
    }

    /// Requests whose answers come later.
    private var suspended: [ObjectIdentifier: HTTPExchange] = [:]

    /// Gives libmicrohttpd a connection, whose descriptor is its own from here on. False if it would not have it.
    func add(_ connection: HTTPConnection) -> Bool {
        guard let raw else {
            _ = Glibc.close(connection.descriptor)
            return false
        }
        added = connection
        defer { added = nil }
        return SocketAddress(connection.sender).withPointer {
            MHD_add_connection(raw, connection.descriptor, $0, $1) == .YES
        }
    }

    /// Lets libmicrohttpd read, ask and write until all would block.
    func run() {
        guard let raw, !isRunning else { return }
        isRunning = true
        defer { isRunning = false }
        MHD_run(raw)
        var milliseconds: UInt64 = 0
        // Requests that were read together with the one before them are in no descriptor any more.
        guard MHD_get_timeout(raw, &milliseconds) == .YES, milliseconds == 0 else { return }
        runSoon()
    }

    func runSoon() {
        again?.start(at: loop.now)
    }
}

extension HTTPDaemon: BorrowedSocketHandler {
    func borrowedSocketReady(_ socket: BorrowedSocket, toRead: Bool, toWrite: Bool) {
        run()
    }
}

extension HTTPDaemon: TimerHandler {
    func timerFired(_ timer: Timer) {
        run()
    }
}

// MARK: Callbacks

extension HTTPDaemon {
    /// The daemon that a callback is for.
    fileprivate static func owning(_ context: UnsafeMutableRawPointer?) -> HTTPDaemon? {
        guard let context else { return nil }
        // Safe: `init` gave the object itself, and it ends libmicrohttpd before it goes.
        return Unmanaged<HTTPDaemon>.fromOpaque(context).takeUnretainedValue()
    }

    /// libmicrohttpd has read the head of a request.
    fileprivate func begin(_ raw: OpaquePointer) -> HTTPExchange? {
        guard let context = cmicrohttpd_context(raw) else { return nil }
        // Safe: `opened` stored it there, `closed` has not taken it away.
        let connection = Unmanaged<HTTPConnection>.fromOpaque(context).takeUnretainedValue()
        // A second request on a connection is nothing that we let happen.
        guard let head = connection.head, connection.exchange == nil else { return nil }
        let exchange = HTTPExchange(head: head, connection: connection, raw: raw, daemon: self)
        connection.exchange = exchange
        return exchange
    }

    /// libmicrohttpd's call for each part of the body, for its end, and once more when it is resumed.
    fileprivate func handle(
        _ exchange: HTTPExchange,
        _ raw: OpaquePointer,
        part: UnsafeRawBufferPointer
    ) -> (taken: Int, result: MHD_Result) {
        switch exchange.phase {
        case .reading:
            if part.isEmpty { return (0, ask(exchange, raw)) }
            exchange.body.append(contentsOf: part)
            return (part.count, .YES)
        case .answered:
            suspended[ObjectIdentifier(exchange)] = nil
            return (0, exchange.takeResponse().map { queue($0, for: exchange, raw) } ?? .NO)
        case .asked, .over: return (0, .YES)
        }
    }

    private func ask(_ exchange: HTTPExchange, _ raw: OpaquePointer) -> MHD_Result {
        // Nobody is there to resume what would be suspended.
        guard let server else { return .NO }
        server.ask(exchange)
        if let response = exchange.takeResponse() { return queue(response, for: exchange, raw) }
        MHD_suspend_connection(raw)
        exchange.isSuspended = true
        suspended[ObjectIdentifier(exchange)] = exchange
        return .YES
    }

    private func queue(_ asked: HTTPResponse, for exchange: HTTPExchange, _ raw: OpaquePointer) -> MHD_Result {
        // The body has been read by now, so that only the answer counts.
        let hasRoom = server?.charge(exchange.connection, asked.body.count) ?? false
        let response = hasRoom ? asked : .unavailable
        let made = response.body.withUnsafeBytes { bytes in
            // Safe: libmicrohttpd copies the bytes, and only reads them.
            let base = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
            return MHD_create_response_from_buffer(bytes.count, base, .RESPMEM_MUST_COPY)
        }
        guard let made else { return .NO }
        defer { MHD_destroy_response(made) }
        if !response.mediaType.isEmpty { MHD_add_response_header(made, "Content-Type", response.mediaType) }
        for header in response.headers { MHD_add_response_header(made, header.name, header.value) }
        MHD_add_response_header(made, "Connection", "close")
        exchange.phase = .answered
        return MHD_queue_response(raw, UInt32(clamping: response.status), made)
    }

    fileprivate func complete(_ exchange: HTTPExchange) {
        suspended[ObjectIdentifier(exchange)] = nil
        exchange.connection.exchange = nil
        exchange.end()
    }

    /// What to store with the connection that is being added.
    fileprivate func opened() -> UnsafeMutableRawPointer? {
        // Balanced in `notifyConnection`, when it is closed.
        connectionCount += 1
        return added.map { Unmanaged.passRetained($0).toOpaque() }
    }

    fileprivate func closed(_ connection: HTTPConnection) {
        connectionCount -= 1
        server?.closed(connection)
    }
}

private func handleRequest(
    _ context: UnsafeMutableRawPointer?,
    _ raw: OpaquePointer?,
    _ target: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?,
    _ version: UnsafePointer<CChar>?,
    _ part: UnsafePointer<CChar>?,
    _ partBytes: UnsafeMutablePointer<Int>?,
    _ stored: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let daemon = HTTPDaemon.owning(context), let raw, let partBytes, let stored else { return .NO }
    guard let object = stored.pointee else {
        // Its first call, for the head: an answer now, even to a request without a body, would be one before its time.
        // The reference is balanced in `completeRequest`, which comes for every request that was handled.
        stored.pointee = daemon.begin(raw).map { Unmanaged.passRetained($0).toOpaque() }
        return stored.pointee == nil ? .NO : .YES
    }
    // Safe: stored above, and `completeRequest` has not come yet.
    let exchange = Unmanaged<HTTPExchange>.fromOpaque(object).takeUnretainedValue()
    let bytes = UnsafeRawBufferPointer(start: part, count: part == nil ? 0 : partBytes.pointee)
    let (taken, result) = daemon.handle(exchange, raw, part: bytes)
    partBytes.pointee -= taken
    return result
}

private func completeRequest(
    _ context: UnsafeMutableRawPointer?,
    _ raw: OpaquePointer?,
    _ stored: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    _ why: MHD_RequestTerminationCode
) {
    guard let daemon = HTTPDaemon.owning(context), let object = stored?.pointee else { return }
    stored?.pointee = nil
    // Safe: the reference taken in `beginRequest`.
    daemon.complete(Unmanaged<HTTPExchange>.fromOpaque(object).takeRetainedValue())
}

private func notifyConnection(
    _ context: UnsafeMutableRawPointer?,
    _ raw: OpaquePointer?,
    _ stored: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    _ what: MHD_ConnectionNotificationCode
) {
    guard let daemon = HTTPDaemon.owning(context), let stored else { return }
    if what == .CONNECTION_NOTIFY_STARTED {
        stored.pointee = daemon.opened()
    } else if let object = stored.pointee {
        stored.pointee = nil
        // Safe: the reference taken in `opened`; libmicrohttpd closes the descriptor after this.
        daemon.closed(Unmanaged<HTTPConnection>.fromOpaque(object).takeRetainedValue())
    }
}
