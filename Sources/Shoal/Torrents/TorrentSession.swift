import Cryptography
import Kademlia
import Metainfo
import PeerWire
import Primitives
import SecurePeer
import Storage
import Swarming

/// One torrent of a node: its peers, its files and what it still lacks.
///
///     metadata ── info dictionary arrived ──▶ checking ── disk was looked at ──▶ running ◀──▶ paused
///
/// It decides nothing that a machine could decide: `Swarm` says whom to ask for what, `MetadataDownload` how to get the
/// metadata, `PeerDirectory` whom to dial; this class carries their actions out. Confined to the loop thread.
final class TorrentSession {
    enum Phase {
        case metadata
        case checking
        case running
        case paused(ShoalError)
        case stopped
    }

    enum Purpose {
        case fetch(FetchOptions)
        case share
    }

    let infoHash: InfoHash
    let purpose: Purpose
    /// Another one for each torrent and start, so that nobody can follow us by it (secure-peer.md, §1).
    let peerID: PeerID
    unowned let core: NodeCore
    let beganAt: Instant
    var security: SessionSecurity
    /// By which secure sessions name it.
    let swarmTag: SwarmTag
    var phase = Phase.metadata

    // Metadata
    private(set) var torrent: Torrent?
    var metadataDownload: MetadataDownload
    var metadataServer: MetadataServer?
    private(set) lazy var metadataAlarm = Alarm(core) { [unowned self] in metadataAlarmRang() }

    // Swarm
    var swarm: Swarm?
    var swarmActions = SwarmActionBuffer()
    var isPerforming = false
    private(set) lazy var swarmAlarm = Alarm(core) { [unowned self] in swarmAlarmRang() }
    var sessions: [PeerHandle: PeerSession] = [:]
    var buffers: [Int: PieceBuffer] = [:]

    // Disk
    var placement: Placement?
    var inspection: Inspection?
    /// File indices of a magnet link's `so` (BEP 53).
    var selectedFiles: [ClosedRange<Int>] = []
    var readers: [VerifiedReader] = []
    private(set) lazy var recordAlarm = Alarm(core) { [unowned self] in recordAlarmRang() }
    private(set) lazy var retryAlarm = Alarm(core) { [unowned self] in retryAlarmRang() }

    // Discovery
    var directory: PeerDirectory
    /// Peers that hung up on us in plain, and were dialled securely for that reason.
    var triedSecurely = LRUCache<Endpoint, Bool>(capacity: 1000)
    /// Keys of peers that lied: they may come from elsewhere.
    var bannedKeys = LRUCache<Ed25519.PublicKey, Bool>(capacity: 1000)
    var discovery = Discovery()
    private(set) lazy var dialAlarm = Alarm(core) { [unowned self] in dial() }
    private(set) lazy var lookupAlarm = Alarm(core) { [unowned self] in discover() }

    // Trackers
    var trackers = Trackers()
    private(set) lazy var trackerAlarm = Alarm(core) { [unowned self] in advanceTrackers() }

    // Records
    var records = Records()
    private(set) lazy var publishAlarm = Alarm(core) { [unowned self] in publishWhenDue() }

    // Reporting
    var report: Report
    private(set) lazy var reportAlarm = Alarm(core) { [unowned self] in reportAlarmRang() }
    /// Called once, when a sharer can be found or there is no use in waiting.
    var whenReady: ((ShoalError?) -> Void)?
    private(set) lazy var readyAlarm = Alarm(core) { [unowned self] in ready(nil) }

    /// Peers of one torrent that are connected or being dialled.
    static let maximumPeers = 80
    /// How long a sharer waits for its announce before it says that it is ready.
    private static let readyLimit: Duration = .seconds(2)

    init(infoHash: InfoHash, purpose: Purpose, security: SessionSecurity? = nil, core: NodeCore) {
        self.infoHash = infoHash
        self.purpose = purpose
        self.core = core
        self.security = security ?? core.security
        swarmTag = SwarmTag(of: infoHash)
        peerID = PeerID.shoal(using: &core.random)
        beganAt = core.now
        metadataDownload = MetadataDownload(infoHash: infoHash)
        var limits = PeerDirectory.Limits()
        limits.maxConnections = TorrentSession.maximumPeers
        directory = PeerDirectory(limits: limits, seed: core.random.next())
        report = Report(at: core.now)
    }

    var metadata: [UInt8]? { torrent?.info.bytes }
    var isPrivate: Bool { torrent?.isPrivate ?? false }

    /// What we say that we can do; about a private torrent nobody talks DHT (BEP 27).
    var capabilities: Capabilities { usesDHT ? .shoal : .shoal.subtracting(.dht) }

    var isSharing: Bool {
        if case .share = purpose { true } else { false }
    }

    // MARK: Beginning

    /// Fetches: with the metadata where it is known, else with what former runs or other peers know of it.
    func startFetching(_ request: FetchRequest, _ options: FetchOptions) {
        // Those of a link stand in the order in which they are to be tried.
        let tiers = (request.torrent?.announceTiers ?? []) + request.trackers.map { [$0] }
        trackers.add(tiers: tiers, named: options.trackers)
        if let torrent = request.torrent { adopt(torrent) } else { remember() }
        reportAlarmRang()
        add(request.peers + options.peers)
        discover()
        askTrackers()
    }

    /// Serves files; those of a torrent that somebody else made are checked first.
    func startSharing(_ source: ShareSource, _ request: ShareRequest) {
        trackers.add(tiers: source.torrent.announceTiers, named: request.trackers)
        learn(source.torrent)
        placement = source.placement
        phase = .checking
        reportAlarmRang()
        if let have = source.have {
            run(having: have)
        } else {
            inspect(source.placement)
        }
        add(request.peers)
        discover()
        askTrackers()
    }

    /// The torrent is known in full.
    func learn(_ torrent: Torrent) {
        self.torrent = torrent
        metadataServer = MetadataServer(metadata: torrent.info.bytes)
        prepareRecord(torrent)
        metadataAlarm.set(nil)
        // Who came while we had no metadata may fetch it from us now.
        for session in sessions.values where session.connection.supportsExtensions { session.sendExtensionHandshake() }
        if isPrivate { leaveDHT() }
    }

    /// Sharing has begun: others can find us, or will soon.
    func awaitReady() {
        readyIfKnown()
        if whenReady != nil { readyAlarm.set(core.now + TorrentSession.readyLimit) }
    }

    /// Everybody who can name us to others has been told.
    func readyIfKnown() {
        let isInDHT = discovery.announcedTo > 0 || !usesDHT
        if isInDHT, trackers.isHeard, swarm != nil { ready(nil) }
    }

    /// Others can find us, or waiting has no use.
    func ready(_ error: ShoalError?) {
        guard let done = whenReady else { return }
        whenReady = nil
        readyAlarm.set(nil)
        done(error)
    }

    // MARK: Ending

    /// Saves what is known, leaves the peers, and calls back.
    func stop(then done: @escaping () -> Void) {
        if case .stopped = phase { return done() }
        phase = .stopped
        for alarm in [
            metadataAlarm, swarmAlarm, recordAlarm, retryAlarm, dialAlarm, lookupAlarm, reportAlarm, readyAlarm,
        ] { alarm.set(nil) }
        let error = ShoalError(.failed, "the torrent was stopped")
        ready(error)
        inspection?.cancel()
        leaveDHT()
        leaveTrackers()
        for reader in readers { reader.fail(error) }
        readers.removeAll()
        sessions.removeAll()
        for session in core.sessions(of: self) { session.close(.stopping) }
        record(then: done)
    }

    /// Ends for a reason that the person must hear.
    func fail(_ error: ShoalError) {
        if case .stopped = phase { return }
        for reader in readers { reader.fail(error) }
        readers.removeAll()
        let waiting = whenReady
        whenReady = nil
        stop { [self] in
            core.torrents[infoHash] = nil
            if let waiting { waiting(error) } else { core.emit(.failed(infoHash: infoHash.hex, error)) }
        }
    }
}
