import EventLoop
import Glibc
import Primitives

/// What the server knows of one connection.
///
///     arriving ── its head is whole ──▶ busy (libmicrohttpd's) ──▶ closed
///        └────── it is refused ──▶ leaving ── its end, or no more patience ──▶ closed
final class HTTPConnection {
    enum Phase: Hashable, CaseIterable {
        /// It owes us the head of a request. Nothing is read yet, only looked at: libmicrohttpd is to read it.
        case arriving
        /// libmicrohttpd reads the request and writes the answer; the descriptor is its own.
        case busy
        /// It has its answer from us. What it still sends is thrown away: to close before it has been read would break
        /// the connection, and the answer with it.
        case leaving
    }

    let descriptor: Int32
    let sender: Endpoint
    /// Whose request it is: the sender's, unless a proxy sent it.
    var client: Endpoint
    /// Whether it is in the count of its host.
    let isCounted: Bool
    fileprivate(set) var phase = Phase.arriving
    /// Since when it is in its phase.
    fileprivate(set) var since: Instant
    /// Bytes that were there the last time, with no end of a head among them.
    var seen = 0
    /// Once it is whole.
    var head: RequestHead?
    /// The request that is being answered.
    var exchange: HTTPExchange?
    /// What it has of the server's bytes in flight.
    var bytesInFlight = 0
    private var socket: BorrowedSocket?
    private unowned let server: HTTPServer

    // The list of the phase.
    fileprivate var next: HTTPConnection?
    fileprivate unowned var previous: HTTPConnection?
    fileprivate var isListed = false

    init(descriptor: Int32, sender: Endpoint, isCounted: Bool, server: HTTPServer, at now: Instant) {
        self.descriptor = descriptor
        self.sender = sender
        client = sender
        self.isCounted = isCounted
        self.server = server
        since = now
    }

    /// Tells the server when more has come.
    ///
    /// - Parameter count: bytes that are there already and are left there: only more of them count.
    /// - Returns: whether there was memory for it.
    func watch(beyond count: Int) -> Bool {
        setLowWater(count + 1)
        if socket == nil {
            socket = try? BorrowedSocket(loop: server.loop, number: descriptor, handler: self)
            socket?.wantsRead = true
        }
        return socket != nil
    }

    /// Ends the watching: somebody else does it from here on.
    func unwatch() {
        guard let socket else { return }
        socket.close()
        self.socket = nil
        setLowWater(1)
    }

    /// SO_RCVLOWAT (socket(7)): without it a socket whose bytes are only looked at would be ready all the time.
    private func setLowWater(_ count: Int) {
        var count = Int32(clamping: count)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &count, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Closes a connection that is not libmicrohttpd's.
    func close() {
        unwatch()
        _ = Glibc.close(descriptor)
    }

    /// Breaks a connection that is libmicrohttpd's, which finds out and closes the descriptor.
    func sever() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }
}

extension HTTPConnection: BorrowedSocketHandler {
    func borrowedSocketReady(_ socket: BorrowedSocket, toRead: Bool, toWrite: Bool) {
        server.readable(self)
    }
}

/// Connections of one phase, in the order in which they came to it: each is added behind, and may be taken out anywhere
/// at the cost of a few assignments.
struct ConnectionQueue {
    private(set) var first: HTTPConnection?
    private unowned var last: HTTPConnection?
    private(set) var count = 0
    private let phase: HTTPConnection.Phase

    init(_ phase: HTTPConnection.Phase) {
        self.phase = phase
    }

    mutating func append(_ connection: HTTPConnection, at now: Instant) {
        connection.phase = phase
        connection.since = now
        connection.isListed = true
        connection.previous = last
        if let last { last.next = connection } else { first = connection }
        last = connection
        count += 1
    }

    mutating func remove(_ connection: HTTPConnection) {
        guard connection.isListed, connection.phase == phase else { return }
        connection.isListed = false
        let previous = connection.previous
        let next = connection.next
        if let next { next.previous = previous } else { last = previous }
        if let previous { previous.next = next } else { first = next }
        connection.next = nil
        connection.previous = nil
        count -= 1
    }
}
