import CMicrohttpd
import EventLoop
import Glibc
import Primitives

/// libmicrohttpd without thread and listening socket, run by the loop whenever its epoll descriptor is ready.
///
/// libmicrohttpd calls back only from inside `run`, `add` and `close`.
final class HTTPDaemon {
    /// Memory for the head of a request with what libmicrohttpd makes of it, and for the head of the answer: the longest
    /// target and headers that the limits allow. Up to 32 KiB libmicrohttpd takes it from `malloc`, more would be a
    /// mapping made and unmade for each connection.
    private static let connectionBytes = 32 << 10
    /// Connections that are broken, but whose descriptors are still to be closed.
    private static let spareConnections = 64

    /// Whom it serves, and whose it is.
    weak var server: HTTPServer?
    private let loop: Loop
    private var raw: OpaquePointer?
    private var poll: BorrowedSocket?
    /// Rings when there is work that no descriptor tells of.
    private var again: Timer?
    /// The connection that is being added.
    private var added: HTTPConnection?
    private var isRunning = false

    init(loop: Loop, limits: HTTPLimits) throws(SocketError) {
        self.loop = loop
        var callbacks = cmicrohttpd_callbacks()
        // Safe: `close`, which `deinit` calls, ends libmicrohttpd before the object goes.
        callbacks.context = Unmanaged.passUnretained(self).toOpaque()
        callbacks.begin = beginRequest
        callbacks.handle = handleRequest
        callbacks.complete = completeRequest
        callbacks.connection = notifyConnection
        let connections = UInt32(clamping: limits.mostConnections + HTTPDaemon.spareConnections)
        // Inactivity within a request or an answer; whole phases are timed by the server.
        let timeout = UInt32(clamping: Int(limits.headTimeout / .seconds(1)) + 1)
        raw = cmicrohttpd_start(&callbacks, connections, HTTPDaemon.connectionBytes, timeout)
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
        for exchange in suspended.values { exchange.send(.fault(.unavailable)) }
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

    /// The request line of a request is read.
    fileprivate func begin(target: UnsafePointer<CChar>, _ raw: OpaquePointer) -> HTTPExchange? {
        guard let context = cmicrohttpd_context(raw) else { return nil }
        // Safe: `opened` stored it there, `closed` has not taken it away.
        let connection = Unmanaged<HTTPConnection>.fromOpaque(context).takeUnretainedValue()
        let bytes = UnsafeBufferPointer(start: target, count: strlen(target))
        let target = [UInt8](unsafeUninitializedCapacity: bytes.count) { room, count in
            // Safe: the room is as long as the text.
            UnsafeMutableRawBufferPointer(room).copyMemory(from: UnsafeRawBufferPointer(bytes))
            count = bytes.count
        }
        return HTTPExchange(target: target, connection: connection, raw: raw, daemon: self)
    }

    /// libmicrohttpd's call for the head, for each part of the body, for its end, and once more when it is resumed.
    fileprivate func handle(
        _ exchange: HTTPExchange,
        _ raw: OpaquePointer,
        method: UnsafePointer<CChar>,
        part: UnsafeRawBufferPointer
    ) -> (taken: Int, result: MHD_Result) {
        guard let server else { return (0, .NO) }
        switch exchange.phase {
        case .head:
            let length = cmicrohttpd_header(raw, "Content-Length").map { String(cString: $0) }
            let hasBody = length.map { $0 != "0" } ?? (cmicrohttpd_header(raw, "Transfer-Encoding") != nil)
            let refusal = server.begins(
                exchange,
                method: String(cString: method),
                headBytes: cmicrohttpd_head_bytes(raw),
                hasBody: hasBody,
                length: length.flatMap { Int($0) }
            )
            if let refusal { return (0, queue(refusal, for: exchange, raw)) }
            // An answer at this point, even to a request without a body, would end the connection.
            exchange.phase = .body
            return (0, .YES)
        case .body:
            if part.isEmpty { return (0, ask(exchange, raw)) }
            exchange.body.append(contentsOf: part)
            return (part.count, .YES)
        case .answered:
            suspended[ObjectIdentifier(exchange)] = nil
            return (0, exchange.response.map { queue($0, for: exchange, raw) } ?? .NO)
        case .asked, .over: return (0, .YES)
        }
    }

    private func ask(_ exchange: HTTPExchange, _ raw: OpaquePointer) -> MHD_Result {
        server?.ask(exchange)
        if let response = exchange.response { return queue(response, for: exchange, raw) }
        MHD_suspend_connection(raw)
        exchange.isSuspended = true
        suspended[ObjectIdentifier(exchange)] = exchange
        return .YES
    }

    private func queue(_ response: HTTPResponse, for exchange: HTTPExchange, _ raw: OpaquePointer) -> MHD_Result {
        let made = response.body.withUnsafeBytes { bytes in
            // Safe: libmicrohttpd copies the bytes, and only reads them.
            let base = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
            return MHD_create_response_from_buffer(bytes.count, base, .RESPMEM_MUST_COPY)
        }
        guard let made else { return .NO }
        defer { MHD_destroy_response(made) }
        if !response.mediaType.isEmpty { MHD_add_response_header(made, "Content-Type", response.mediaType) }
        for header in response.headers { MHD_add_response_header(made, header.name, header.value) }
        let closes = response.closes || server?.isLast(on: exchange.connection) ?? true
        if closes { MHD_add_response_header(made, "Connection", "close") }
        exchange.phase = .answered
        return MHD_queue_response(raw, UInt32(clamping: response.status), made)
    }

    fileprivate func complete(_ exchange: HTTPExchange) {
        suspended[ObjectIdentifier(exchange)] = nil
        server?.ended(exchange)
    }

    /// What to store with the connection that is being added.
    fileprivate func opened() -> UnsafeMutableRawPointer? {
        // Balanced in `notifyConnection`, when it is closed.
        added.map { Unmanaged.passRetained($0).toOpaque() }
    }

    fileprivate func closed(_ connection: HTTPConnection) {
        server?.closed(connection)
    }
}

private func beginRequest(
    _ context: UnsafeMutableRawPointer?,
    _ target: UnsafePointer<CChar>?,
    _ raw: OpaquePointer?
) -> UnsafeMutableRawPointer? {
    guard let daemon = HTTPDaemon.owning(context), let target, let raw else { return nil }
    // Balanced in `completeRequest`, which comes for every request that began.
    return daemon.begin(target: target, raw).map { Unmanaged.passRetained($0).toOpaque() }
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
    guard let daemon = HTTPDaemon.owning(context), let raw, let method, let partBytes, let object = stored?.pointee
    else {
        return .NO
    }
    // Safe: `beginRequest` stored it, `completeRequest` has not come yet.
    let exchange = Unmanaged<HTTPExchange>.fromOpaque(object).takeUnretainedValue()
    let bytes = UnsafeRawBufferPointer(start: part, count: part == nil ? 0 : partBytes.pointee)
    let (taken, result) = daemon.handle(exchange, raw, method: method, part: bytes)
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
