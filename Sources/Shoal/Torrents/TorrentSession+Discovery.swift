import Cryptography
import Kademlia
import Metainfo
import PeerWire
import Primitives
import SecurePeer
import Swarming

/// Looking for peers: the DHT, and whom the person named.
struct Discovery {
    var isLooking = false
    var lookup: LookupID?
    /// Lookups that ended since a peer was last connected.
    var fruitless = 0
    /// Nodes that answered the last lookup, for the person who waits.
    var nodesAsked = 0
    /// Peers that the last lookup named.
    var peersNamed = 0
    /// Nodes that keep our address under the info-hash, and whether as that of a seed (BEP 33).
    var announcedTo = 0
    var isAnnouncedAsSeed = false
    /// Whether the DHT nodes that the torrent names were asked.
    var hasAskedNamedNodes = false
    /// The networks in which somebody answered the last lookup (BEP 32).
    var networks: Set<AddressFamily> = []
    /// When the last lookup ended.
    var endedAt: Instant?
}

extension TorrentSession {
    /// Nodes forget an announce after 30 to 45 minutes (hardening D11).
    private static let announceInterval: Duration = .seconds(15 * 60)
    /// With fewer nodes that keep our address than this, of the eight that ought to, more are sought soon.
    private static let fewAnnounces = 4
    /// How long to wait after a lookup before the next one, though all peers are gone: they may come and go all the time.
    private static let shortestPause: Duration = .seconds(5)
    /// DHT nodes asked of those that a torrent names: a dozen are a way in, thousands would be a flood that we send.
    private static let mostNamedNodes = 16
    /// With so many peers nobody else is looked for before the next announce.
    private static let enoughPeers = 20
    /// How often a fetch whose slots are all taken looks whether that could be better.
    private static let roomInterval: Duration = .seconds(10)

    /// BEP 27: a private torrent is looked for nowhere but at its tracker.
    var usesDHT: Bool { core.dht != nil && !isPrivate }

    private var isSeed: Bool { isSharing || swarm?.isComplete == true }

    func discover() {
        guard usesDHT, !discovery.isLooking else { return }
        if case .stopped = phase { return }
        askNamedNodes()
        discovery.peersNamed = 0
        let handler = DHTDriver.LookupHandler(
            foundPeers: { [weak self] peers in self?.found(peers) },
            finished: { [weak self] summary in self?.lookupFinished(summary) }
        )
        discovery.isLooking = true
        discovery.isAnnouncedAsSeed = isSeed
        let lookup = core.dht?.findPeers(of: infoHash, announces: true, isSeed: isSeed, handler)
        // Where there is nobody to ask it has ended by now.
        discovery.lookup = discovery.isLooking ? lookup : nil
        // Second, because it waits for the peers that the other one finds, and asks these too.
        findRecords()
        if !isSeed { findMirrors() }
    }

    /// The maker of the torrent knew nodes (BEP 5): one more way into the DHT that depends on no other (hardening D16).
    ///
    /// All torrents ask them once, so that they are known when other ways close; later only who is alone asks again.
    private func askNamedNodes() {
        guard let torrent, !discovery.hasAskedNamedNodes || core.dht?.isJoined == false else { return }
        discovery.hasAskedNamedNodes = true
        for node in torrent.nodes.prefix(TorrentSession.mostNamedNodes) { core.dht?.introduce(node) }
    }

    /// The DHT of one family can be reached, and perhaps nobody knows there yet that we are here.
    func discoverAgain() {
        let joined = core.dht?.joinedFamilies ?? []
        guard discovery.announcedTo == 0 || !discovery.networks.isSuperset(of: joined) else { return }
        discovery.fruitless = 0
        discover()
    }

    /// Others reach us by another port than was announced.
    func announceAgain() {
        if case .stopped = phase { return }
        trackersHearAgain()
        guard usesDHT else { return }
        if let lookup = discovery.lookup { core.dht?.cancel(lookup) }
        discovery.isLooking = false
        discover()
    }

    private func found(_ peers: [Endpoint]) {
        for peer in peers where !core.isOurs(peer) && core.serves(peer.address.family) {
            discovery.peersNamed += 1
            directory.add(peer, source: .dht, at: core.now)
        }
        dial()
    }

    /// The last peer left: the next lookup, which may be a quarter of an hour away, comes earlier.
    func lookAgainSoon() {
        trackersNamePeersSoon()
        guard usesDHT, !discovery.isLooking, !isSharing, swarm?.isComplete != true else { return }
        if case .stopped = phase { return }
        lookupAlarm.set(max(core.now, (discovery.endedAt ?? core.now) + TorrentSession.shortestPause))
    }

    /// What was announced as a peer has become a seed, which whoever counts them shall see (BEP 33).
    func announceAsSeed() {
        guard usesDHT, !discovery.isLooking, discovery.announcedTo > 0 else { return }
        lookupAlarm.set(core.now + TorrentSession.shortestPause)
    }

    /// Stops looking, when the torrent ends or turns out to be private.
    func leaveDHT() {
        lookupAlarm.set(nil)
        core.dht?.withdraw(infoHash)
        leaveRecords()
        guard let lookup = discovery.lookup else { return }
        discovery.lookup = nil
        discovery.isLooking = false
        core.dht?.cancel(lookup)
    }

    private func lookupFinished(_ summary: LookupSummary) {
        discovery.isLooking = false
        discovery.lookup = nil
        discovery.endedAt = core.now
        discovery.nodesAsked = summary.replies
        discovery.announcedTo = summary.storedOn
        discovery.networks = Set(summary.closest.map(\.endpoint.address.family))
        readyIfKnown()
        publishWhenDue()
        lookupAlarm.set(core.now + pauseBeforeNextLookup)
    }

    /// Short while nobody is there, long when all is well.
    private var pauseBeforeNextLookup: Duration {
        let isAnnounced = discovery.announcedTo > 0
        // A network that has grown since keeps others near the key, where nobody would find us.
        let isWellKnown = discovery.announcedTo >= min(TorrentSession.fewAnnounces, core.dht?.contacts.count ?? 0)
        if isAnnounced, !isWellKnown { return .seconds(15) }
        if isAnnounced, isSeed, !discovery.isAnnouncedAsSeed { return TorrentSession.shortestPause }
        // Where nobody is complete, those who are here may lack what somebody else holds.
        let isServed = swarm?.unavailablePieces == 0
        let isSatisfied = swarm?.isComplete == true || sessions.count >= TorrentSession.enoughPeers && isServed
        if isAnnounced, isSatisfied {
            // A young network has few nodes; later ones come closer to the info-hash and are asked instead of those that know.
            return discovery.announcedTo < 8 ? .seconds(120) : TorrentSession.announceInterval
        }
        if isAnnounced, isServed, !sessions.isEmpty {
            discovery.fruitless = 0
            return .seconds(60)
        }
        discovery.fruitless += 1
        return min(.milliseconds(250) * (1 << min(discovery.fruitless, 8)), .seconds(60))
    }

    /// Peers that a person named: tried at once, and again after seconds rather than minutes.
    ///
    /// Who is named with a key is dialled before the others have been resolved: the same address may be among them without
    /// one, and must not be talked to in plain for that.
    func add(_ peers: [String]) {
        let named = peers.map(NamedPeer.init)
        for peer in named.filter({ $0.key != nil }) + named.filter({ $0.key == nil }) {
            if let endpoint = Endpoint(peer.place) { pin(peer.key, at: endpoint) }
            core.resolve(peer.place) { [weak self] endpoints in
                guard let self else { return }
                if endpoints.isEmpty { core.emit(.notice("cannot find the address of the peer \(peer.place)")) }
                for endpoint in endpoints {
                    pin(peer.key, at: endpoint)
                    directory.add(endpoint, source: .user, at: core.now)
                }
                dial()
            }
        }
    }

    /// The person says which key there is at an endpoint: sessions that did not prove it have to go.
    private func pin(_ key: Ed25519.PublicKey?, at endpoint: Endpoint) {
        guard let key else { return }
        core.learned(key, at: endpoint, by: .pin)
        for session in core.sessions(of: self) where session.wasDialled && session.endpoint == endpoint {
            guard let proved = session.remoteKey else {
                session.close(.plainRefused)
                continue
            }
            if proved != key { session.close(.peerIdentityMismatch(proved: proved, expected: key)) }
        }
    }

    // MARK: Dialling

    func dial() {
        switch phase {
        case .metadata, .running: break
        case .checking, .paused, .stopped: return
        }
        swarm?.guide(&directory, at: core.now)
        // A full node refuses nobody for good: the candidates wait, and so does the alarm, which must not ring in vain.
        while hasRoomToDial, core.hasRoom, let endpoint = directory.next(at: core.now) {
            let source = directory.source(of: endpoint) ?? .dht
            let plan = dialPlan(for: endpoint)
            if !core.dial(endpoint, source: source, by: plan, for: self) { directory.failed(endpoint, at: core.now) }
        }
        guard hasRoomToDial else { return makeRoom() }
        dialAlarm.set(core.hasRoom ? directory.nextDeadline : core.now + .seconds(1))
    }

    /// All slots are taken: one that is worth little may go, for somebody who holds what nobody connected has.
    private func makeRoom() {
        swarm?.makeRoom(in: &directory, at: core.now, into: &swarmActions)
        performSwarm()
        let isFetching = swarm?.isComplete == false
        dialAlarm.set(isFetching ? core.now + TorrentSession.roomInterval : nil)
    }

    private var hasRoomToDial: Bool { sessions.count + directory.diallingCount < TorrentSession.maximumPeers }
}
