import EventLoop
package import Primitives
import TrackerProtocol

/// A tracker: announces over HTTP and UDP, accounts, the catalogue of files, and the table of chunk folders.
///
/// Everything it owns runs on one loop thread, which is this actor's executor; the database has a thread of its own.
package actor TrackerNode {
    private nonisolated let loop: Loop?
    private let configuration: TrackerConfiguration
    private let continuation: AsyncStream<TrackerEvent>.Continuation
    private var core: TrackerCore?
    private var isStopped = false

    /// What happens, in order. A reader that falls more than 1000 events behind loses the oldest.
    package nonisolated let events: AsyncStream<TrackerEvent>

    /// The loop thread.
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        loop?.asUnownedSerialExecutor() ?? MainActor.sharedUnownedExecutor
    }

    /// Makes a node that does nothing yet.
    package init(_ configuration: TrackerConfiguration) {
        self.configuration = configuration
        loop = try? Loop.started()
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1000))
    }

    deinit { loop?.stop() }

    /// Opens the database, takes up the swarms of the last run, and listens.
    ///
    /// - Throws: `.network` where the port is in use or the address is not this machine's, `.database`, `.files`.
    package func start() async throws(TrackerFault) {
        if isStopped { throw TrackerFault(.failed, "the tracker was stopped") }
        guard core == nil else { return }
        guard let loop else {
            throw TrackerFault(.failed, "too many open files or threads; raise the limits (ulimit -n)")
        }
        let core = TrackerCore(loop: loop, configuration: configuration) { [continuation] event in
            continuation.yield(event)
        }
        self.core = core
        do throws(TrackerFault) {
            try await core.start()
        } catch {
            self.core = nil
            await core.stop()
            throw error
        }
    }

    /// Writes the swarms down, closes everything, and ends the event stream. A stopped node cannot be started again.
    package func stop() async {
        isStopped = true
        let core = core
        self.core = nil
        await core?.stop()
        continuation.finish()
    }

    /// Writes the swarms down now; they are at every stop, and each has its turn once a minute.
    package func save() async { await core?.save() }

    /// Lets whoever runs it ask what accounts may, for a minute, by a passkey that is in no database.
    package func admit(passkey: String) {
        guard let core, let digest = Passkeys.digest(of: Array(passkey.utf8).span.bytes) else { return }
        core.admission.passkeys?.set(.init(account: "(console)", expires: core.now + .seconds(60)), for: digest)
    }

    /// Where it listens; port 0 of the configuration is replaced by the real one.
    package var endpoints: [Endpoint] { core?.endpoints ?? [] }

    /// Runs something on the node's thread with what it owns.
    package func withCore<Result: Sendable>(_ body: @Sendable (TrackerCore) -> Result) -> Result? { core.map(body) }
}
