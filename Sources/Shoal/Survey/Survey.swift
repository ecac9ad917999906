import Metainfo
import PeerWire
import Primitives

/// Asks the peers of a torrent what they hold, a few at a time, each once; fetches nothing but the metadata.
///
/// What they say is hearsay: nothing is verified by asking. Confined to the loop thread.
final class Survey {
    let infoHash: InfoHash
    let peerID: PeerID
    private unowned let core: NodeCore
    private let report: (DHTHolder) -> Void
    private(set) var layout: PieceLayout?
    private var metadata: MetadataDownload
    private var waiting: [Endpoint] = []
    private var known: Set<Endpoint> = []
    private var probes: [UInt32: PeerProbe] = [:]
    private var lastNumber: UInt32 = 0
    /// No peer comes any more.
    private var isComplete = false
    private var whenDone: (() -> Void)?
    private lazy var metadataAlarm = Alarm(core) { [unowned self] in
        perform(metadata.advanced(to: core.now))
    }

    /// Peers that are asked: enough for a picture, few enough not to be a nuisance.
    static let mostPeers = 50
    /// Connections at once.
    private static let mostProbes = 10

    init(of infoHash: InfoHash, core: NodeCore, report: @escaping (DHTHolder) -> Void) {
        self.infoHash = infoHash
        peerID = PeerID.shoal(using: &core.random)
        self.core = core
        self.report = report
        metadata = MetadataDownload(infoHash: infoHash)
    }

    /// Peers that somebody named.
    func add(_ peers: [Endpoint]) {
        for peer in peers where known.count < Survey.mostPeers && core.serves(peer.address.family) && !core.isOurs(peer)
        {
            guard known.insert(peer).inserted else { continue }
            waiting.append(peer)
        }
        dial()
    }

    /// Calls back when everybody has answered who is known by now.
    func finish(then done: @escaping () -> Void) {
        isComplete = true
        whenDone = done
        endIfDone()
    }

    /// Ends with what is known: who has said nothing until now is silent.
    func stop() {
        isComplete = true
        waiting.removeAll()
        for probe in Array(probes.values) { probe.end() }
    }

    // MARK: Probes

    private func dial() {
        while probes.count < Survey.mostProbes, core.hasRoom, !waiting.isEmpty {
            lastNumber += 1
            let probe = PeerProbe(waiting.removeFirst(), number: lastNumber, of: self, core: core)
            probes[probe.number] = probe
            if !probe.dial() { probe.end() }
        }
    }

    func ended(_ probe: PeerProbe) {
        guard probes.removeValue(forKey: probe.number) != nil else { return }
        report(probe.holder(total: layout?.pieceCount))
        if layout == nil { perform(metadata.disconnected(probe.number, at: core.now)) }
        dial()
        endIfDone()
    }

    private func endIfDone() {
        guard isComplete, probes.isEmpty, waiting.isEmpty, let done = whenDone else { return }
        whenDone = nil
        metadataAlarm.set(nil)
        done()
    }

    // MARK: Metadata

    func offered(_ size: Int, by probe: PeerProbe) {
        guard layout == nil else { return }
        perform(metadata.offered(size: size, by: probe.number, at: core.now))
    }

    func received(piece: Int, totalSize: Int, _ bytes: [UInt8], from probe: PeerProbe) {
        guard layout == nil else { return }
        perform(
            metadata.received(piece: piece, totalSize: totalSize, bytes: bytes, from: probe.number, at: core.now)
        )
    }

    func rejected(piece: Int, by probe: PeerProbe) {
        guard layout == nil else { return }
        perform(metadata.rejected(piece: piece, by: probe.number, at: core.now))
    }

    private func perform(_ actions: [MetadataDownload.Action]) {
        for action in actions {
            switch action {
            case .request(let piece, let peer): probes[peer]?.requestMetadata(piece)
            case .ban(let peers): for peer in peers { probes[peer]?.end() }
            case .complete(let bytes): learn(bytes)
            }
        }
        metadataAlarm.set(layout == nil ? metadata.nextDeadline : nil)
    }

    private func learn(_ bytes: [UInt8]) {
        // A person waits for this one torrent, so the loop may read its metadata.
        guard let torrent = try? Torrent(infoDictionary: bytes) else { return stop() }
        layout = torrent.layout
        for probe in Array(probes.values) {
            probe.learn(torrent.layout)
            if probe.hasSettled { probe.end() }
        }
    }
}

extension NodeCore {
    func holders(
        of text: String,
        timeout: Double,
        _ each: @escaping @Sendable (DHTFinding) -> Void
    ) async throws(ShoalError) -> DHTScrape? {
        let dht = try driver()
        let infoHash = try NodeCore.infoHash(text)
        let survey = Survey(of: infoHash, core: self) { each(.holder($0)) }
        let records = RecordSurvey(of: infoHash, core: self) { each(.record($0)) }
        let search = DHTSearch(self, timeout: timeout)
        search.onPeers = {
            survey.add($0)
            records.ask($0)
        }
        let deadline = now + .seconds(min(max(0, timeout), 86_400))
        _ = await search.run {
            records.begin(dht)
            return dht.scrape(infoHash, $0)
        }
        await finish(records.finish, or: records.stop, at: deadline)
        if search.peers.isEmpty, search.scrape == nil, records.isEmpty {
            throw NodeCore.nothing(search, "no node knows anybody who has \(infoHash)")
        }
        await finish(survey.finish, or: survey.stop, at: deadline)
        return search.scrape
    }

    /// Waits for something to finish, and stops it when the time is over.
    private func finish(
        _ work: @escaping (@escaping () -> Void) -> Void,
        or stop: @escaping () -> Void,
        at deadline: Instant
    ) async {
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            turn {
                let alarm = Alarm(self, stop)
                alarm.set(deadline)
                work {
                    alarm.set(nil)
                    done.resume()
                }
            }
        }
    }
}
