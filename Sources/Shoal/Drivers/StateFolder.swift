import Glibc
import Kademlia
import Primitives
import Storage

/// What a node keeps between runs: `dht.nodes` and `state.sqlite`, in a folder of its owner's (0700).
final class StateFolder {
    let path: String
    let resume: ResumeStore
    /// Held by the one process that uses the table: two nodes with one ID would confuse everybody's tables.
    private let tableLock: FileLock?

    init(_ path: String) throws(ShoalError) {
        self.path = path
        do throws(StorageError) {
            resume = try ResumeStore(folder: path)
        } catch {
            throw ShoalError(error)
        }
        tableLock = FileLock(path + "/dht.lock")
    }

    /// Two at a time would use the same temporary file.
    private var isSaving = false

    private var tablePath: String { path + "/dht.nodes" }

    /// The nodes of the last run; `nil` when the file is missing or is not what we wrote (hardening D16).
    func loadTable() -> TableFile? {
        guard let bytes = SmallFile.read(tablePath, limit: 64 << 10) else { return nil }
        return try? TableFile(bytes.span.bytes)
    }

    /// Whether this process may go by the ID in the table and write the table.
    var ownsTable: Bool { tableLock != nil }

    /// Replaces the file as a whole, so that a crash leaves the old or the new one; on a worker, because that waits for the
    /// disk.
    func saveTable(_ contacts: [Contact], of id: NodeID, on disk: DiskWorkers) {
        // An empty table is no news: what was remembered is worth more.
        guard ownsTable, !contacts.isEmpty, !isSaving else { return }
        let bytes = TableFile(id: id, contacts: contacts).encoded
        isSaving = disk.submit { [tablePath] in
            SmallFile.replace(tablePath, with: bytes)
        } then: { [weak self] _ in
            self?.isSaving = false
        }
    }
}
