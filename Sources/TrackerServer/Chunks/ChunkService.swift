package import EventLoop
package import Primitives
import Storage
package import TrackerProtocol

/// Chunk folders at the tracker: the table that `/api/v1/chunks` and the text protocol share, and the port of the latter.
package final class ChunkService {
    private enum Limit {
        /// Connections of the text protocol: old clients keep one each for as long as they run.
        static let connections = 1024
        /// Of one address; the loopback is exempt, as in T7.
        static let connectionsPerHost = 16
        /// How often registrations are looked through for those that ended.
        static let expiryInterval: Duration = .seconds(15)
    }

    package var table = ChunkTable()
    private let loop: Loop
    private let timer: Timer
    private var listeners: [StreamListener] = []
    private var connections: [ObjectIdentifier: ChunkConnection] = [:]
    private var workers: DiskWorkers?
    private var log: LineLog?

    init(loop: Loop) {
        self.loop = loop
        timer = Timer(loop: loop)
        timer.handler = self
        timer.start(at: loop.now + Limit.expiryInterval)
    }

    var now: Instant { loop.now }

    /// Where the text protocol is spoken.
    package var endpoints: [Endpoint] { listeners.compactMap(\.localEndpoint) }

    /// Speaks the text protocol.
    ///
    /// - Parameters:
    ///   - trace: a file that gets a line for each connection, message and answer.
    ///   - onWakeUp: has something run on the loop whenever it is woken up.
    func listen(
        at listening: TrackerConfiguration.Listening,
        trace: String?,
        onWakeUp: (@escaping () -> Void) -> Void
    ) throws(TrackerFault) {
        if let trace { try open(trace, onWakeUp) }
        switch listening {
        case .at(let endpoint): try listen(at: endpoint)
        case .everywhere(let port):
            try listen(at: Endpoint(.anyV4, port))
            // A machine without IPv6 has the other family.
            try? listen(at: Endpoint(.anyV6, listeners.first?.localEndpoint?.port ?? port))
        }
    }

    func close() {
        timer.close()
        for listener in listeners { listener.close() }
        for connection in Array(connections.values) { connection.close() }
        listeners = []
        workers?.shutDown()
        workers?.drainCompletions()
    }

    private func listen(at endpoint: Endpoint) throws(TrackerFault) {
        do throws(SocketError) {
            listeners.append(try StreamListener(loop: loop, endpoint: endpoint, handler: self))
        } catch .addressInUse {
            throw TrackerFault(
                .network,
                "TCP port \(endpoint.port) is in use by another program; stop that one, or choose another port with "
                    + "--chunks :PORT"
            )
        } catch {
            throw TrackerFault(.network, "cannot listen at \(endpoint) for chunk folders: \(error)")
        }
    }

    private func open(_ trace: String, _ onWakeUp: (@escaping () -> Void) -> Void) throws(TrackerFault) {
        do throws(StorageError) {
            let workers = try DiskWorkers(count: 1, wake: loop.wakeUp)
            log = try LineLog(trace, workers: workers)
            self.workers = workers
            onWakeUp { [weak workers] in _ = workers?.drainCompletions() }
        } catch {
            throw TrackerFault(.files, error.message)
        }
    }

    /// One line: who, and what was said.
    func trace(_ client: Endpoint, _ text: @autoclosure () -> String) { log?.add("tracker,\(client),\(text())") }

    func ended(_ connection: ChunkConnection) { connections[ObjectIdentifier(connection)] = nil }
}

extension ChunkService: StreamListenerHandler {
    package func listener(_ listener: StreamListener, accepted stream: TCPStream, from remote: Endpoint) {
        let host = remote.address.host
        let ofHost = host.isLoopback ? 0 : connections.values.count { $0.client.address.host == host }
        guard connections.count < Limit.connections, ofHost < Limit.connectionsPerHost else { return stream.close() }
        trace(remote, "CONNECTED")
        let connection = ChunkConnection(stream, on: loop, of: self)
        connections[ObjectIdentifier(connection)] = connection
    }
}

extension ChunkService: TimerHandler {
    package func timerFired(_ timer: Timer) {
        table.expire(at: loop.now)
        timer.start(at: loop.now + Limit.expiryInterval)
    }
}
