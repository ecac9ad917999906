/// How many strangers may connect, and how often they may make us calculate (secure-peer.md, §3, Limits).
package struct AdmissionLimits: Hashable, Sendable {
    /// Accepted connections that have not finished a handshake. Silent ones cost a descriptor and a few kilobytes each,
    /// for at most ten seconds.
    package var halfOpen = 64
    /// Of those, from one /24 or /56, which one owner usually holds as a whole.
    package var halfOpenOfNetwork = 4
    /// Accepted connections of one host, plain and secure together: as many people as share an address in one swarm.
    package var connectionsOfHost = 8
    /// Handshakes over all: at 88 µs for a key pair and two multiplications, 0.44 % of a core.
    package var hellos = TokenBucket.Rate(burst: 100, perSecond: 50)
    /// Handshakes of one host.
    package var hellosOfHost = TokenBucket.Rate(burst: 8, perSecond: 2)
    /// So many handshakes of one host that fail...
    package var failures = 5
    /// ... within this time...
    package var failurePeriod: Duration = .seconds(60)
    /// ... keep it out for this one.
    package var ban: Duration = .seconds(300)
    /// Hosts whose failures are remembered; at 50 handshakes a second it takes 82 seconds to fill this from as many hosts.
    package var rememberedHosts = 4096
    /// Whether what holds for one host or network holds for 127/8 and ::1 as well (`SHOAL_LOCAL_LIMITS=on`). Else a
    /// network of a hundred nodes fits on one host (hardening D19), and failures there are those of an endpoint.
    package var holdLocally = false

    /// The defaults.
    package init() {}
}
