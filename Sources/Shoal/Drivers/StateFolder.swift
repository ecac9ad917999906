import Availability
import Cryptography
import EventLoop
import Glibc
import Kademlia
import Primitives
import SecurePeer
import Storage

/// What a node keeps between runs: `identity.key`, `dht.nodes`, `dht.peers`, `dht.peers6`, `records.sequence`,
/// `peers.secure` and `state.sqlite`, in a folder of its owner's (0700); `lock` is held by the process that goes by the key.
final class StateFolder {
    let path: String
    let resume: ResumeStore
    /// Held by the one process that goes by the key and uses the table: two nodes with one ID would confuse everybody's
    /// tables, and two that publish under one key would outdo each other.
    private let lock: FileLock?
    /// The key in `identity.key`; `nil` while another process goes by it.
    let identity: Ed25519.SigningKey?

    init(_ path: String) throws(ShoalError) {
        self.path = path
        do throws(StorageError) {
            resume = try ResumeStore(folder: path)
        } catch {
            throw ShoalError(error)
        }
        lock = try StateFolder.lock(path)
        guard lock != nil else {
            identity = nil
            return
        }
        do throws(IdentityFault) {
            identity = try IdentityFile(folder: path, now: SystemClock.secondsSinceEpoch).signingKey
        } catch {
            throw ShoalError(error, in: path)
        }
    }

    /// The lock of a state folder, or `nil` while another process holds it.
    static func lock(_ folder: String) throws(ShoalError) -> FileLock? {
        let path = folder + "/lock"
        do throws(FileLock.Fault) {
            return try FileLock(path)
        } catch .held {
            return nil
        } catch {
            throw ShoalError(.files, "cannot use \(path): \(error.message)")
        }
    }

    /// The nodes of the last run in a folder; `nil` when the file is missing or is not what we wrote (hardening D16).
    static func table(_ folder: String) -> TableFile? {
        guard let bytes = SmallFile.read(folder + "/dht.nodes", limit: TableFile.mostBytes) else { return nil }
        return try? TableFile(bytes.span.bytes)
    }

    /// What is being written: two at a time would use the same temporary file. What comes meanwhile is written afterwards.
    private var saving: Set<String> = []
    private var waiting: [String: @Sendable () -> [UInt8]] = [:]

    private var tablePath: String { path + "/dht.nodes" }
    private var sequencePath: String { path + "/records.sequence" }

    private func peersPath(_ family: AddressFamily) -> String { path + (family == .v4 ? "/dht.peers" : "/dht.peers6") }

    func loadTable() -> TableFile? { StateFolder.table(path) }

    /// Whether this process may go by the ID in the table and write the table.
    var ownsTable: Bool { lock != nil }

    func saveTable(_ table: TableFile, on disk: DiskWorkers) {
        // An empty table is no news: what was remembered is worth more.
        guard !table.contacts.isEmpty else { return }
        save(tablePath, on: disk) { table.encoded }
    }

    /// Saves what others announced to us; an empty store too, for old peers are no good.
    func savePeers(_ peers: PeerFile, _ family: AddressFamily, on disk: DiskWorkers) {
        save(peersPath(family), on: disk) { peers.encoded }
    }

    /// Reads the peers of a former run, with the time since they were written; they are still to be checked.
    func loadPeers(_ family: AddressFamily, on disk: DiskWorkers, then done: @escaping ([UInt8], Duration) -> Void) {
        guard ownsTable else { return }
        disk.submit { [path = peersPath(family)] in
            SmallFile.readWithAge(path, limit: PeerFile.mostBytes)
        } then: {
            if let (bytes, age) = $0 { done(bytes, age) }
        }
    }

    /// The sequence number of the last record that the key signed; later ones are higher.
    var recordSequence: Int64 {
        guard ownsTable, let bytes = SmallFile.read(sequencePath, limit: 20) else { return 0 }
        return Int64(String(decoding: bytes, as: UTF8.self)) ?? 0
    }

    func save(_ sequence: RecordSequence, on disk: DiskWorkers) {
        save(sequencePath, on: disk) { Array(String(sequence.last).utf8) }
    }

    private var evidencePath: String { path + "/peers.secure" }

    /// Who spoke SPS/1 to a former run; `nil` where nothing is known, or the file is not what we wrote.
    func loadEvidence(_ clock: WallClock, at now: Instant) -> EvidenceBook? {
        guard ownsTable, let bytes = SmallFile.read(evidencePath, limit: EvidenceBook.mostBytes) else { return nil }
        return try? EvidenceBook(bytes.span.bytes, clock, at: now)
    }

    func save(_ evidence: EvidenceBook, _ clock: WallClock, at now: Instant, on disk: DiskWorkers) {
        save(evidencePath, on: disk) { evidence.encoded(clock, at: now) }
    }

    /// Replaces a file as a whole, so that a crash leaves the old or the new one; on a worker, because that waits for the
    /// disk.
    private func save(_ path: String, on disk: DiskWorkers, _ encoded: @escaping @Sendable () -> [UInt8]) {
        guard ownsTable else { return }
        guard saving.insert(path).inserted else {
            waiting[path] = encoded
            return
        }
        let isBegun = disk.submit {
            SmallFile.replace(path, with: encoded())
        } then: { [weak self] _ in
            self?.saving.remove(path)
            if let next = self?.waiting.removeValue(forKey: path) { self?.save(path, on: disk, next) }
        }
        if !isBegun { saving.remove(path) }
    }
}
