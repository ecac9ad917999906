/// Bounds on what clients may hold and send (T9).
package struct HTTPLimits: Hashable, Sendable {
    /// Connections at once. Each costs a descriptor and up to 36 KiB; a client that announces needs one for a
    /// millisecond. When all are taken, the one that has said nothing for longest makes room.
    package var mostConnections = 2048
    /// Connections of one host (the /64 for IPv6). A large network behind one address still announces by 64 at a time.
    package var mostConnectionsPerHost = 64
    /// Whether the limit on hosts holds for loopback too: a proxy in front of the tracker, and tests, come from there.
    package var countsLoopback = false
    /// Bytes of a path with its query: an announce has 400, four KiB hold it whatever a client adds.
    package var mostTargetBytes = 4096
    /// As long as that for the targets that begin like this: a scrape names many info-hashes of 70 bytes each.
    package var longTargets: [String: Int] = ["/scrape": 8192]
    /// Bytes of all headers.
    package var mostHeaderBytes = 16 << 10
    /// For the whole head of a request, from the connection or the end of the request before it.
    package var headTimeout = Duration.seconds(10)
    /// For the body and the answer together: ten MiB at 1.5 Mbit/s.
    package var exchangeTimeout = Duration.seconds(60)
    /// Requests on one connection; then it is closed, so that a crowd has its turn.
    package var mostRequestsPerConnection = 100

    package init() {}

    /// The limit for a target.
    func mostBytes(ofTarget target: [UInt8]) -> Int {
        for (start, most) in longTargets where target.starts(with: start.utf8) { return most }
        return mostTargetBytes
    }
}

/// What happened to connections and requests since the start.
package struct HTTPCounters: Hashable, Sendable {
    package var connections = 0
    /// Closed at once: the table was full of busy ones, or its host had too many.
    package var refusedConnections = 0
    /// Closed to make room for a new one.
    package var displacedConnections = 0
    /// Closed for taking too long.
    package var expiredConnections = 0
    package var requests = 0
    /// Requests answered with 400, 405, 411, 413, 414 or 431 before any handler saw them.
    package var rejectedRequests = 0

    package init() {}
}
