package import Primitives

/// Asks Internet gateway devices of UPnP for a port, and keeps it.
///
///     idle ── start ──▶ searching ── a device maps ──▶ mapped ── at half of the lease ──▶ mapped
///                         │ none is left                 │ the lease ended
///                         ▼                              ▼
///                       failed ◀─────────────────────── failed
package struct IGDClient: Sendable {
    package private(set) var state = PortMappingState.searching
    private let port: UInt16
    private var random: SeededRandom
    private var actions: [PortMappingAction] = []

    /// - Parameters:
    ///   - port: ours, the same in both transports.
    ///   - seed: for the external ports that are tried when ours is taken.
    package init(port: UInt16, seed: UInt64) {
        self.port = port
        random = SeededRandom(seed: seed)
    }

    package var deadline: Instant? { nil }

    package mutating func start(at now: Instant) {}
    package mutating func datagramArrived(_ bytes: RawSpan, from sender: Endpoint, at now: Instant) {}
    package mutating func replied(_ ticket: Int, _ reply: IGDReply?, at now: Instant) {}
    package mutating func tick(at now: Instant) {}
    package mutating func release(at now: Instant) {}

    package mutating func takeActions() -> [PortMappingAction] {
        defer { actions = [] }
        return actions
    }
}
