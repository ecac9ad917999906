import Glibc
import Primitives

/// What the server knows of one connection, which libmicrohttpd reads and writes.
final class HTTPConnection {
    /// Which list it is in: that of those who owe us the head of a request, or that of those we owe an answer.
    enum Phase: Hashable {
        case waiting
        case busy
    }

    let descriptor: Int32
    let sender: Endpoint
    /// Whether it is in the count of its host.
    let isCounted: Bool
    var requestCount = 0
    fileprivate(set) var phase = Phase.waiting
    /// Since when it is in its phase.
    fileprivate(set) var since: Instant
    /// The request that is being answered.
    var exchange: HTTPExchange?

    // The list of the phase.
    fileprivate var next: HTTPConnection?
    fileprivate unowned var previous: HTTPConnection?
    fileprivate var isListed = false

    init(descriptor: Int32, sender: Endpoint, isCounted: Bool, at now: Instant) {
        self.descriptor = descriptor
        self.sender = sender
        self.isCounted = isCounted
        since = now
    }

    /// Breaks the connection; libmicrohttpd finds out and closes the descriptor, which is open until it says so.
    func sever() {
        shutdown(descriptor, Int32(SHUT_RDWR))
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
