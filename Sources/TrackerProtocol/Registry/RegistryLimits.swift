/// Bounds on what a tracker holds and gives out.
package struct RegistryLimits: Hashable, Sendable {
    /// How often a peer shall announce, as BEP 3 has it.
    package var interval: Duration = .seconds(1800)
    /// How often it may.
    package var minInterval: Duration = .seconds(900)
    /// How often while a swarm has nobody else, or the tracker is young: a lone peer wants to hear of the next one soon,
    /// and a restart has forgotten who came since the last time it wrote down its swarms. An eighth of the usual interval
    /// costs little, for only lone peers announce so often in the long run.
    package var shortInterval: Duration { min(interval, max(.seconds(60), interval / 8)) }
    /// Peers that an answer has where the asker names no number (T6).
    package var usualWanted = 50
    /// The most it has, whatever the asker names: 200 IPv4 peers fill a datagram of 1220 bytes (T6).
    package var mostWanted = 200
    /// Peers of one host in all swarms of one family (T7): enough for a person with many torrents, too few to fill the
    /// table from one place.
    package var peersPerHost = 64
    /// Peers of one host in one swarm (T7): as many as people behind one address plausibly share a torrent.
    package var peersPerHostAndSwarm = 8
    /// Whether 127/8 and ::1 may announce any number of peers (T7): the host that the tracker runs on is its owner's.
    package var exemptsLoopback = true
    /// Peers of one family in one swarm (T7): an answer names 200 of them at most, so nobody is worse off for those left
    /// out. Rows are numbered by 16 bits, which allows 65 535.
    package var peersPerSwarm = 10_000
    /// Peers in all: 48 to 64 bytes each, so 128 MB at most.
    package var peers = 2_000_000
    /// Swarms in all. A swarm costs about 250 bytes beside its peers, and any peer may begin one.
    package var swarms = 1_000_000
    /// Torrents of which it is known how often they were completed although nobody shares them now: 40 bytes each.
    package var remembered = 1_000_000
    /// Peers of one swarm whose pieces are known (`have=`): what a person can look at.
    package var holdersPerSwarm = 200
    /// Bytes of all have-blobs together: a blob has 640 at most.
    package var holderBytes = 64 << 20

    /// A peer that was not heard of for so long is gone.
    package var lifetime: Duration { interval * 2 }

    package init() {}
}
