import EventLoop
import Primitives
import TrackerStore

/// The files of the catalogue as the page and the table of peers show them.
///
/// The database is asked for them once in a few seconds at most, however many people look.
final class CatalogueNames {
    /// As many as are looked through for a name; the page shows the first of them.
    private static let mostFiles = 1000
    /// How old they may be.
    private static let age: Duration = .seconds(5)
    /// How long who looks waits for a database that does not answer.
    private static let patience: Duration = .seconds(2)

    private(set) var files: [CatalogueFile] = []
    /// How many there are in all.
    private(set) var count = 0
    private var names: [InfoHash: String] = [:]
    private var readAt: Instant?
    private var waiting: [() -> Void] = []
    private unowned let core: TrackerCore
    private let timer: Timer
    /// The question that is open; an answer to an earlier one comes too late.
    private var asked = 0

    init(core: TrackerCore) {
        self.core = core
        timer = Timer(loop: core.loop)
        timer.handler = self
    }

    func close() {
        timer.close()
        waiting = []
    }

    /// The first name by which a torrent is registered.
    func name(of infoHash: InfoHash) -> String? { names[infoHash] }

    /// Calls `body` when the files are as fresh as they get: at once, or when the database has answered.
    func refreshed(_ body: @escaping () -> Void) {
        if let readAt, core.now - readAt < CatalogueNames.age { return body() }
        waiting.append(body)
        guard waiting.count == 1 else { return }
        guard let store = core.store else { return finish() }
        asked += 1
        let number = asked
        timer.start(at: core.now + CatalogueNames.patience)
        store.perform { store throws(StoreFault) in
            (try store.files(limit: CatalogueNames.mostFiles), try store.fileCount())
        } then: { [weak self] result in
            guard let self else { return }
            // Without the database the last ones stay.
            if case .success(let (files, count)) = result { replace(files, count: count) }
            if number == asked { finish() }
        }
    }

    private func replace(_ files: [CatalogueFile], count: Int) {
        self.files = files
        self.count = count
        names = [:]
        for file in files where names[file.infoHash] == nil { names[file.infoHash] = file.name }
    }

    private func finish() {
        timer.cancel()
        readAt = core.now
        let bodies = waiting
        waiting = []
        for body in bodies { body() }
    }
}

extension CatalogueNames: TimerHandler {
    func timerFired(_ timer: Timer) {
        finish()
    }
}
