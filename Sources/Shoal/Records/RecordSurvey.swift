import Availability
import Cryptography
import Kademlia
import Primitives

/// Gathers the records of one torrent for a person: each once, with where its key was proved, or with what is wrong.
///
/// Confined to the loop thread.
final class RecordSurvey {
    private let infoHash: InfoHash
    private unowned let core: NodeCore
    private let report: (DHTRecord) -> Void
    private var lookup: LookupID?
    /// Nothing more is found; keys may still be proved.
    private var isSearched = false
    private var isOver = false
    private lazy var alarm = Alarm(core) { [unowned self] in end() }

    /// How long a key may take to be proved after the search for records is over.
    private static let patience: Duration = .seconds(2)

    private var whenOver: (() -> Void)?
    private var found: [Ed25519.PublicKey: FoundRecord] = [:]
    /// Told at the end: whoever forges a record in the name of a key must not hide what its owner says.
    private var refused: [Ed25519.PublicKey: RefusedRecord] = [:]
    private var told: Set<Ed25519.PublicKey> = []

    init(of infoHash: InfoHash, core: NodeCore, report: @escaping (DHTRecord) -> Void) {
        self.infoHash = infoHash
        self.core = core
        self.report = report
    }

    var isEmpty: Bool { found.isEmpty && refused.isEmpty }

    func begin(_ dht: DHTDriver) {
        core.recordSurveys[ObjectIdentifier(self)] = self
        var handler = DHTDriver.LookupHandler()
        handler.foundRecord = { [self] in found[$0.record.key] = $0 }
        handler.refusedRecord = { [self] in refused[$0.key] = $0 }
        handler.finished = { [self] _ in searched() }
        handler.stopped = { [self] in end() }
        let lookup = dht.findRecords(of: infoHash, pieceCount: nil, handler)
        self.lookup = isSearched ? nil : lookup
    }

    /// Peers that somebody named are asked for their own.
    func ask(_ peers: [Endpoint]) {
        if let lookup { _ = core.dht?.askForRecords(from: peers, in: lookup) }
    }

    /// Calls back when all that there is has been told.
    func finish(then done: @escaping () -> Void) {
        if isOver { done() } else { whenOver = done }
    }

    /// Ends with what is known.
    func stop() {
        if let lookup { core.dht?.cancel(lookup) }
        end()
    }

    func proved(_ key: Ed25519.PublicKey, at endpoint: Endpoint) {
        guard let record = found[key] else { return }
        tell(record, provedAt: endpoint)
        endIfAllIsTold()
    }

    private func searched() {
        (isSearched, lookup) = (true, nil)
        alarm.set(core.now + RecordSurvey.patience)
        endIfAllIsTold()
    }

    private func endIfAllIsTold() {
        if isSearched, told.count == found.count { end() }
    }

    private func end() {
        guard !isOver else { return }
        (isOver, lookup) = (true, nil)
        alarm.set(nil)
        core.recordSurveys[ObjectIdentifier(self)] = nil
        for record in found.values.sorted(by: { $0.record.sequence > $1.record.sequence }) {
            tell(record, provedAt: nil)
        }
        for record in refused.values.sorted(by: { $0.sequence > $1.sequence }) where found[record.key] == nil {
            tell(record)
        }
        whenOver?()
        whenOver = nil
    }

    private func tell(_ found: FoundRecord?, provedAt endpoint: Endpoint?) {
        guard let found, told.insert(found.record.key).inserted else { return }
        let record = found.record
        let now = core.wallClock.unixMilliseconds(at: core.now)
        report(
            DHTRecord(
                key: record.key.text,
                address: (endpoint ?? found.places.first)?.description,
                isAddressProved: endpoint != nil,
                pieces: record.content.heldCount,
                total: record.content.pieceCount,
                age: Double(now - record.sequence) / 1000,
                timeLeft: Double(record.expiresAt - now) / 1000,
                fault: nil
            )
        )
    }

    private func tell(_ refused: RefusedRecord) {
        report(
            DHTRecord(
                key: refused.key.text,
                address: refused.seenAt?.description,
                isAddressProved: false,
                pieces: nil,
                total: nil,
                age: nil,
                timeLeft: nil,
                fault: refused.fault.rawValue
            )
        )
    }
}
