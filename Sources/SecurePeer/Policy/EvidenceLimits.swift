/// How long it is remembered who speaks SPS/1, and of how many.
package struct EvidenceLimits: Hashable, Sendable {
    /// How long an endpoint is held to what it showed (secure-peer.md, §3): addresses pass to others within weeks.
    package var freshness: Duration = .seconds(7 * 86_400)
    /// How many failures undo evidence...
    package var failures = 3
    /// ... and how much longer than this they have to be spread, so that no short disturbance is enough.
    package var failurePeriod: Duration = .seconds(3600)
    /// A week's peers of a busy node: 400 connections, each replaced ten times. 0.5 MB in memory and as much on disk.
    package var endpoints = 4096
    /// Addresses of two families, at home and away; who shows one key at ever new ports drives out only himself.
    package var endpointsOfKey = 8
    /// Endpoints that are only said to speak SPS/1: what a DHT lookup and its records name, several times over.
    package var hearsay = 1024

    /// The defaults.
    package init() {}
}
