import Glibc

/// Bounds on what clients may hold and send (T9).
package struct HTTPLimits: Hashable, Sendable {
    /// Connections at once. One that is still to send its request costs a descriptor and half a KiB, one with a request
    /// up to 40 KiB for the millisecond that an announce takes. When all are taken, the one that has said nothing for
    /// longest makes room.
    package var mostConnections = HTTPLimits.affordableConnections
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
    /// Header lines: browsers send 20. libmicrohttpd needs memory for each.
    static let mostHeaders = 64
    /// Parameters in a query: a scrape of 8 KiB names 115 torrents.
    static let mostParameters = 128
    /// For the whole head of a request.
    package var headTimeout = Duration.seconds(10)
    /// For the body and the answer together: ten MiB at 1.5 Mbit/s.
    package var exchangeTimeout = Duration.seconds(60)
    /// Bytes of long bodies and long answers together: six torrents of ten MiB on their way in. Who asks for a long
    /// answer and does not read it, or begins a long body and does not go on, holds memory here for a minute.
    package var mostBytesInFlight = 64 << 20
    /// Shorter ones than this are not counted.
    static let shortBytes = 64 << 10
    /// A full table may lose those that take longer than this over a body or an answer.
    static let patience = Duration.seconds(5)
    /// For a client that was refused to read why, and to stop sending.
    static let leavingTimeout = Duration.seconds(2)

    package init() {}

    /// Half of the descriptors that the process may have, so that files, the database and UDP have the rest; at most
    /// 2048.
    private static var affordableConnections: Int {
        var limit = rlimit()
        // Safe: it fills in the structure that it is given.
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 128 }
        return max(16, Int(min(limit.rlim_cur / 2, 2048)))
    }

    /// The limit for a target that begins like this.
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
    /// Refused with 400, 405, 411, 413, 414 or 431 before any handler saw them.
    package var rejectedRequests = 0

    package init() {}
}
