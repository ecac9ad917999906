import Metainfo
import Primitives
import Storage

/// Looks at what is on disk before anything is fetched, and decides which of it is the torrent's.
///
///     remembered pieces whose files nobody touched ── trusted
///     everything else that is there                ── hashed
///     a file that is there, and nothing in it fits  ── somebody else's: left alone
///
/// Confined to the loop thread.
final class Inspection {
    private let torrent: Torrent
    private let files: FileSet
    private let core: NodeCore
    private var done: ((Result<Bitfield, ShoalError>) -> Void)?
    private var verifier: Verifier?

    /// What the disk and the memory of former runs say before any hashing.
    private struct Finding: Sendable {
        var trusted: Bitfield
        var isOurs = false
        /// The first file that is there and not empty.
        var present: Int?
    }

    init(
        of torrent: Torrent,
        in placement: Placement,
        core: NodeCore,
        then done: @escaping (Result<Bitfield, ShoalError>) -> Void
    ) {
        self.torrent = torrent
        files = placement.files
        self.core = core
        self.done = done
    }

    /// For the display.
    var progress: Verifier.Progress? { verifier?.progress }

    func cancel() {
        done = nil
        verifier?.cancel()
    }

    func start() {
        let record = ResumeRecord(
            infoHash: torrent.infoHash,
            // As it lies on disk: under another name it is another download, whose file may be somebody else's.
            name: files.files.first?.pathComponents.first ?? torrent.name,
            root: files.rootPath,
            info: torrent.info.bytes
        )
        core.disk.submit { [files, store = core.state?.resume] () -> Result<Finding, StorageError> in
            do throws(StorageError) {
                return .success(try Inspection.look(at: files, record, store))
            } catch {
                return .failure(error)
            }
        } then: { [self] result in
            switch result {
            case .failure(let error): finish(.failure(ShoalError(error)))
            case .success(let finding): hash(finding)
            }
        }
    }

    /// On a worker. Remembers the torrent before its first byte is written, so that a later run knows it for ours.
    private static func look(
        at files: FileSet,
        _ record: ResumeRecord,
        _ store: ResumeStore?
    ) throws(StorageError) -> Finding {
        var finding = Finding(trusted: Bitfield(count: files.layout.pieceCount))
        finding.present = try files.captureStamps().firstIndex { ($0?.size ?? 0) > 0 }
        guard files.access == .writing else { return finding }
        try files.verifyRoot()
        guard let store else { return finding }
        if let known = try store.load(record.infoHash), known.root == record.root, known.name == record.name {
            finding.isOurs = true
            if finding.present != nil { finding.trusted = try known.trustedPieces(in: files) }
        }
        try store.add(record)
        return finding
    }

    private func hash(_ finding: Finding) {
        let count = torrent.layout.pieceCount
        guard finding.present != nil, count > 0, done != nil else { return finish(.success(finding.trusted)) }
        var candidates = Bitfield(filled: count)
        for piece in finding.trusted.indices { candidates[piece] = false }
        let hashes = torrent.pieceHashes
        let verifier = Verifier(files, pieces: candidates) { hashes[$0] }
        self.verifier = verifier
        core.disk.run(verifier) { [self] result in
            switch result {
            case .failure(let error): finish(.failure(ShoalError(error)))
            case .success: conclude(finding, verifier.verified)
            }
        }
    }

    private func conclude(_ finding: Finding, _ verified: Bitfield) {
        var have = verified
        for piece in finding.trusted.indices { have[piece] = true }
        if have.isEmpty, !finding.isOurs, files.access == .writing, let present = finding.present {
            let path = files.path(ofFile: present)
            let advice = "move it away or choose another folder with -o"
            return finish(.failure(ShoalError(.files, "\(path) exists and holds nothing of this torrent; \(advice)")))
        }
        finish(.success(have))
    }

    private func finish(_ result: Result<Bitfield, ShoalError>) {
        done?(result)
        done = nil
    }
}
