import EventLoop
import Primitives
import Storage
import TrackerProtocol
import TrackerStore

/// Which torrents are served (T12): the files of the person who runs the tracker, and what the database has of other
/// nodes' files.
///
/// A list is read and parsed on the store's thread and replaced as a whole: no announce meets half of one.
final class TorrentLists {
    private unowned let core: TrackerCore
    private let timer: Timer
    private var files: [TorrentList: File] = [:]
    /// Of the lists in the database.
    private var change: Int64 = -1
    private var lists: [TorrentList: Set<InfoHash>] = [:]
    private var isLooking = false

    private struct File: Sendable {
        let path: String
        /// When it was written, and how long it was, at the last look.
        var mark: FileMark?
    }

    /// How often files and the database are looked at.
    private static let period: Duration = .seconds(2)

    init(core: TrackerCore) {
        self.core = core
        timer = Timer(loop: core.loop)
        timer.handler = self
        if let path = core.configuration.allowList { files[.allow] = File(path: path) }
        if let path = core.configuration.denyList { files[.deny] = File(path: path) }
    }

    func stop() { timer.close() }

    /// Reads the lists for the first time.
    ///
    /// - Throws: what is wrong with a file.
    func start() async throws(TrackerFault) {
        isLooking = true
        let look = request(isForced: true)
        do throws(StoreFault) {
            take(try await core.ask { (store) throws(StoreFault) in try look.carryOut(on: store) }, isFirst: true)
        } catch {
            throw TrackerFault(error)
        }
        if let fault { throw TrackerFault(.files, fault) }
    }

    /// Reads them now, whatever their dates say: what a hang-up signal asks for.
    func reload() { look(isForced: true) }

    // MARK: Looking

    /// What the last look found wrong, so that a person is told once.
    private var fault: String?

    private func request(isForced: Bool) -> Look {
        Look(files: files, change: change, isForced: isForced)
    }

    private func look(isForced: Bool) {
        guard !isLooking, let store = core.store else { return }
        isLooking = true
        let look = request(isForced: isForced)
        store.perform { (store) throws(StoreFault) in
            try look.carryOut(on: store)
        } then: { [weak self] result in
            if case .success(let found) = result { self?.take(found, isFirst: false) } else { self?.wait() }
        }
    }

    private func wait() {
        isLooking = false
        timer.start(at: core.now + TorrentLists.period)
    }

    private func take(_ found: Look.Found, isFirst: Bool) {
        defer { wait() }
        files = found.files
        change = found.change
        let isNews = found.fault != fault
        fault = found.fault
        if let fault, isNews, !isFirst { core.emit(.notice("\(fault); the list stays as it was")) }
        guard !found.lists.isEmpty else { return }
        lists.merge(found.lists) { $1 }
        let (allowed, denied) = (lists[.allow] ?? [], lists[.deny] ?? [])
        // An allow list with nothing in it serves nothing, where somebody has given one.
        if files[.allow] != nil || !allowed.isEmpty {
            core.admission.torrents = .only(allowed.subtracting(denied))
        } else {
            core.admission.torrents = denied.isEmpty ? .all : .allBut(denied)
        }
        guard !isFirst || core.admission.torrents != .all else { return }
        core.emit(.notice("lists of torrents: \(allowed.count) allowed, \(denied.count) denied"))
    }

    private static func read(_ path: String) -> Result<Set<InfoHash>, TrackerFault> {
        do throws(TrackerFault) {
            return .success(try TorrentListFile.read(path))
        } catch {
            return .failure(error)
        }
    }

    /// One look, on the store's thread.
    private struct Look: Sendable {
        struct Found: Sendable {
            var files: [TorrentList: File]
            var change: Int64
            /// Those that are to be replaced.
            var lists: [TorrentList: Set<InfoHash>] = [:]
            var fault: String?
        }

        let files: [TorrentList: File]
        let change: Int64
        let isForced: Bool

        func carryOut(on store: TrackerStore) throws(StoreFault) -> Found {
            var found = Found(files: files, change: change)
            for (list, file) in files {
                let mark = FileMark(file.path)
                guard isForced || mark != file.mark else { continue }
                found.files[list]?.mark = mark
                switch TorrentLists.read(file.path) {
                case .success(let infoHashes): try store.setList(list, to: infoHashes)
                case .failure(let fault): found.fault = fault.sentence
                }
            }
            let change = try store.listChange()
            guard change != self.change else { return found }
            found.change = change
            for list in TorrentList.allCases { found.lists[list] = try store.list(list) }
            return found
        }
    }
}

extension TorrentLists: TimerHandler {
    func timerFired(_ timer: Timer) { look(isForced: false) }
}
