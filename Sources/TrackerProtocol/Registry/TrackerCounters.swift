/// How a message came.
package enum TrackerTransport: Int, Hashable, Sendable, CaseIterable {
    case udp
    case http

    package var label: StaticString { self == .udp ? "udp" : "http" }
}

/// What a tracker counts, for `/metrics`.
package struct TrackerCounters: Sendable {
    private var announces = [Int](repeating: 0, count: TrackerTransport.allCases.count * 4)
    private var scrapes = [Int](repeating: 0, count: TrackerTransport.allCases.count)
    private var failures = [Int](repeating: 0, count: TrackerFailure.allCases.count)
    /// UDP connect requests that were answered.
    package internal(set) var connects = 0
    /// Datagrams without an answer: no tracker message, or a connection identifier that we did not give (T3).
    package internal(set) var ignored = 0

    package init() {}

    package func announces(_ transport: TrackerTransport, _ event: AnnounceRequest.Event) -> Int {
        announces[transport.rawValue * 4 + Int(event.rawValue)]
    }

    package func scrapes(_ transport: TrackerTransport) -> Int { scrapes[transport.rawValue] }
    package func failures(_ failure: TrackerFailure) -> Int { failures[failure.rawValue] }

    package mutating func announced(_ transport: TrackerTransport, _ event: AnnounceRequest.Event) {
        announces[transport.rawValue * 4 + Int(event.rawValue)] &+= 1
    }

    package mutating func scraped(_ transport: TrackerTransport) { scrapes[transport.rawValue] &+= 1 }
    package mutating func failed(_ failure: TrackerFailure) { failures[failure.rawValue] &+= 1 }
}
