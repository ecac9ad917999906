import EventLoop
package import Primitives
import Storage
import TrackerProtocol

/// A client of chunk folders: completes its folder, and serves it.
///
/// Everything it owns runs on a loop thread of its own, which is this actor's executor; the disk has threads of its own.
package actor ChunkPeer {
    package struct Configuration: Sendable {
        package var folder: String
        /// What the tracker and others know it by.
        package var name: String
        package var set = ChunkTable.usualSet
        /// Where it listens; `nil` for every address.
        package var address: IPAddress?
        package var port: UInt16 = 0
        /// The address that others have to reach it at; `nil` for the one that the tracker sees.
        package var announcedAddress: IPAddress?
        /// A file to which a line is added for each request, answer and connection.
        package var trace: String?
        /// Whether `interrupted` is told in place of what SIGINT and SIGTERM do otherwise.
        package var reportsSignals = false

        package init(folder: String, name: String) {
            self.folder = folder
            self.name = name
        }
    }

    package enum Event: Hashable, Sendable {
        case listening([Endpoint])
        /// What lies in the folder at the start.
        case holding(count: Int, of: Int)
        case fetched(chunk: Int, from: Endpoint, count: Int, of: Int)
        /// A holder sent something else, or nothing.
        case refused(chunk: Int, from: Endpoint, reason: String)
        case served(chunk: Int, to: Endpoint)
        case complete(count: Int)
        case notice(String)
        case failed(ChunkFolderFault)
        /// A signal came; another one ends the program at once.
        case interrupted(signal: Int32)
    }

    private nonisolated let loop: Loop
    private let configuration: Configuration
    private let tracker: any ChunkTracker
    private let continuation: AsyncStream<Event>.Continuation
    private var core: ChunkPeerCore?

    /// What happens, in order.
    package nonisolated let events: AsyncStream<Event>

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Makes a client that does nothing yet.
    package init(_ configuration: Configuration, tracker: any ChunkTracker) throws(ChunkFolderFault) {
        self.configuration = configuration
        self.tracker = tracker
        do throws(SocketError) {
            loop = try Loop.started()
        } catch {
            throw .network("too many open files or threads; raise the limits (ulimit -n)")
        }
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(10_000))
    }

    deinit { loop.stop() }

    /// What a client is called that was given no name: the name of its folder.
    package static func usualName(of folder: String) throws(ChunkFolderFault) -> String {
        try storing { () throws(StorageError) in try ResolvedPath(folder).name }
    }

    /// Reads and hashes the folder, listens, reports, and begins to fetch; what follows are events.
    package func start() throws(ChunkFolderFault) {
        let core = try ChunkPeerCore(configuration, on: loop, emit: { [continuation] in continuation.yield($0) })
        self.core = core
        core.askTracker = { [weak self] in
            guard let self else { return }
            Task { await self.askTracker() }
        }
        core.report = { [weak self] chunks, port in
            guard let self else { return }
            Task { await self.report(chunks, port) }
        }
        try core.start()
    }

    /// Tells the tracker, closes everything and ends the events.
    ///
    /// - Parameter limit: how long the tracker may take.
    package func stop(within limit: Duration = .seconds(2)) async {
        guard let core else { return }
        self.core = nil
        core.close()
        let (tracker, configuration) = (tracker, configuration)
        // Not a task group, which would wait for a tracker that never answers.
        let (ends, end) = AsyncStream<Void>.makeStream()
        let goodbye = Task {
            try? await tracker.leave(name: configuration.name, from: configuration.set)
            end.finish()
        }
        let alarm = Task {
            try? await Task.sleep(for: limit)
            end.finish()
        }
        for await _ in ends {}
        goodbye.cancel()
        alarm.cancel()
        continuation.finish()
    }

    private func askTracker() async {
        do throws(ChunkTrackerFault) {
            let rows = try await tracker.rows(of: configuration.set)
            core?.received(rows)
        } catch {
            core?.trackerFailed(error)
        }
    }

    private func report(_ chunks: [ChunkHolding], _ port: UInt16) async {
        var fault: ChunkTrackerFault?
        do throws(ChunkTrackerFault) {
            try await tracker.report(
                chunks,
                name: configuration.name,
                address: configuration.announcedAddress,
                port: port,
                to: configuration.set
            )
        } catch {
            fault = error
        }
        core?.reported(fault)
    }
}
