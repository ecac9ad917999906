import EventLoop
import Metainfo
import Primitives
import TrackerAPI
import TrackerProtocol
import TrackerStore

/// The catalogue: files that people registered by name, with the counts of their swarms.
final class CatalogueDesk {
    /// Who asks, as far as it was proven.
    struct Asker: Hashable, Sendable {
        var owner: FileOwner
        var isAdmin = false
    }

    /// Entries of one page.
    static let page = 1000

    /// A name whose swarm is empty can be taken by others, but not at once: who registers a file announces a moment later.
    private static let graceSeconds: Int64 = 600

    private unowned let core: TrackerCore
    private let limits = CatalogueLimits()

    init(core: TrackerCore) { self.core = core }

    // MARK: Reading

    /// A page of entries in the order of their names' bytes.
    func list(after: String, limit: Int, then completion: @escaping (Result<[CatalogueEntry], APIFault>) -> Void) {
        let limit = min(max(1, limit), CatalogueDesk.page)
        core.query { (store) throws(StoreFault) in
            try store.files(after: after, limit: limit)
        } then: { [weak self] result in
            guard let self else { return }
            core.http.counting { _ in completion(result.mapError { .database($0) }.map { $0.map(self.entry) }) }
        }
    }

    /// An entry and its .torrent file in base64, which is made on the store's thread: ten MiB of it take longer than an
    /// announce may wait.
    func file(
        _ name: String,
        then completion: @escaping (Result<(entry: CatalogueEntry, torrent: [UInt8]), APIFault>) -> Void
    ) {
        guard AccountRules.isFileName(name) else { return completion(.failure(.badFileName)) }
        core.query { (store) throws(StoreFault) -> Found? in
            guard let file = try store.file(named: name), let torrent = try store.torrent(named: name) else {
                return nil
            }
            return Found(file: file, torrent: Array(Base64URL.encode(torrent).utf8))
        } then: { [weak self] result in
            switch result {
            case .success(let found?):
                if let entry = self?.entry(found.file) { completion(.success((entry, found.torrent))) }
            case .success(nil): completion(.failure(.noFile))
            case .failure(let fault): completion(.failure(.database(fault)))
            }
        }
    }

    private struct Found: Sendable {
        let file: CatalogueFile
        /// In base64.
        let torrent: [UInt8]
    }

    private func entry(_ file: CatalogueFile) -> CatalogueEntry {
        var entry = CatalogueEntry(
            name: file.name,
            infoHash: file.infoHash,
            size: file.size,
            pieceLength: file.pieceLength,
            pieces: file.pieces,
            owner: "\(file.owner)",
            created: file.created
        )
        if let swarm = core.registry.summary(of: file.infoHash) {
            (entry.seeders, entry.leechers, entry.downloaded) = (swarm.seeds, swarm.leechers, swarm.downloaded)
        }
        return entry
    }

    // MARK: Writing

    /// Registers a file. The torrent is parsed on the store's thread: ten MiB of one take longer than an announce may wait.
    func register(
        _ name: String,
        torrent: [UInt8],
        by asker: Asker,
        then completion: @escaping (Result<CatalogueEntry, APIFault>) -> Void
    ) {
        guard AccountRules.isFileName(name) else { return completion(.failure(.badFileName)) }
        place(name, torrent, asker, replacing: nil) { [weak self] result in
            guard let self, case .success(.refused(.taken(let previous))) = result,
                mayReplace(previous, asker)
            else { return completion(CatalogueDesk.answer(result, self)) }
            place(name, torrent, asker, replacing: previous.infoHash) { [weak self] in
                completion(CatalogueDesk.answer($0, self))
            }
        }
    }

    private enum Placing: Sendable {
        case done(CatalogueFile)
        case refused(FilePlacement)
        case badTorrent
    }

    private func place(
        _ name: String,
        _ torrent: [UInt8],
        _ asker: Asker,
        replacing abandoned: InfoHash?,
        then completion: @escaping (Result<Placing, StoreFault>) -> Void
    ) {
        let (owner, limits, today) = (asker.owner, limits, SystemClock.secondsSinceEpoch)
        core.query { (store) throws(StoreFault) -> Placing in
            guard let parsed = try? Torrent(parsing: torrent) else { return .badTorrent }
            let layout = parsed.layout
            let file = CatalogueFile(
                name: name,
                infoHash: parsed.infoHash,
                size: layout.totalSize,
                pieceLength: Int64(layout.pieceLength),
                pieces: Int64(layout.pieceCount),
                owner: owner,
                created: today
            )
            let placement = try store.placeFile(file, torrent: torrent, replacing: abandoned, limits: limits)
            return placement == .added || placement == .replaced ? .done(file) : .refused(placement)
        } then: {
            completion($0)
        }
    }

    /// An administrator may take any name. Without accounts an owner is an address, which changes hands: then a name
    /// that nobody shares any more is free.
    private func mayReplace(_ previous: CatalogueFile, _ asker: Asker) -> Bool {
        if asker.isAdmin { return true }
        guard case .address = asker.owner, case .address = previous.owner,
            SystemClock.secondsSinceEpoch - previous.created > CatalogueDesk.graceSeconds
        else { return false }
        let swarm = core.registry.summary(of: previous.infoHash)
        return (swarm?.seeds ?? 0) + (swarm?.leechers ?? 0) == 0
    }

    private static func answer(
        _ result: Result<Placing, StoreFault>,
        _ desk: CatalogueDesk?
    ) -> Result<CatalogueEntry, APIFault> {
        switch result {
        case .success(.done(let file)): desk.map { .success($0.entry(file)) } ?? .failure(.noMemory)
        case .success(.badTorrent): .failure(.badTorrent)
        case .success(.refused(.ownerIsFull)): .failure(.ownerFull)
        case .success(.refused(.catalogueIsFull)): .failure(.catalogueFull)
        case .success(.refused): .failure(.fileTaken)
        case .failure(let fault): .failure(.database(fault))
        }
    }

    /// Removes a file; its peers go on without the catalogue.
    func remove(_ name: String, by asker: Asker, then completion: @escaping (APIFault?) -> Void) {
        guard AccountRules.isFileName(name) else { return completion(.badFileName) }
        let owner = asker.isAdmin ? nil : asker.owner
        core.query { (store) throws(StoreFault) -> APIFault? in
            if try store.removeFile(named: name, of: owner) { return nil }
            return try store.file(named: name) == nil ? .noFile : .notOwner
        } then: { result in
            switch result {
            case .success(let fault): completion(fault)
            case .failure(let fault): completion(.database(fault))
            }
        }
    }
}
