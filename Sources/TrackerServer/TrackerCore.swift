package import EventLoop
package import Primitives
package import TrackerProtocol

/// What a tracker node owns: plain values and objects, all of them used on the loop thread alone.
///
/// The parts hang on it: UDP announces here, HTTP, accounts and chunk folders in folders of their own.
package final class TrackerCore {
    package let loop: Loop
    package let configuration: TrackerConfiguration
    package var registry: Registry
    /// Whom the tracker serves; lists and accounts replace its parts.
    package var admission = Admission()
    /// Who holds which chunk of which folder.
    package let chunks: ChunkService
    private let emitEvent: (TrackerEvent) -> Void
    private(set) var ports: [BoundPort] = []
    private var udp: UDPDriver?
    private var upkeep: RegistryUpkeep?

    init(loop: Loop, configuration: TrackerConfiguration, emit: @escaping (TrackerEvent) -> Void) {
        self.loop = loop
        self.configuration = configuration
        emitEvent = emit
        chunks = ChunkService(loop: loop)
        registry = Registry(limits: configuration.limits, seed: OSRandom.seed(), now: loop.now)
    }

    package func emit(_ event: TrackerEvent) { emitEvent(event) }
    package var now: Instant { loop.now }
    package var endpoints: [Endpoint] { ports.map(\.endpoint) }

    // MARK: Starting and stopping

    func start() async throws(TrackerFault) {
        ports = try bind(configuration.listening)
        udp = UDPDriver(sockets: ports.map(\.datagrams), core: self)
        upkeep = RegistryUpkeep(core: self)
        if let listening = configuration.chunks {
            try chunks.listen(at: listening, trace: configuration.trace)
            emit(
                .notice(
                    "chunk folders: the text protocol is spoken at \(chunks.endpoints.map(\.description).joined(separator: ", "))"
                )
            )
        }
        emit(.listening(endpoints))
    }

    func stop() async {
        upkeep?.stop()
        chunks.close()
        for port in ports { port.close() }
        ports = []
        udp = nil
    }

    /// Binds TCP and UDP on one number.
    private func bind(_ listening: TrackerConfiguration.Listening) throws(TrackerFault) -> [BoundPort] {
        do throws(SocketError) {
            switch listening {
            case .everywhere(let port): return try BoundPort.bindEverywhere(loop: loop, port: .exactly(port))
            case .at(let endpoint):
                return [try BoundPort.bind(loop: loop, address: endpoint.address, port: .exactly(endpoint.port))]
            }
        } catch {
            throw TrackerFault(.network, TrackerCore.sentence(of: error))
        }
    }

    /// What is wrong, and the way out.
    private static func sentence(of error: SocketError) -> String {
        switch error {
        case .addressInUse(let endpoint, let transport):
            """
            \(transport) port \(endpoint.port) is in use by another program; stop that one, or choose another port with \
            --listen :PORT (:0 takes any that is free)
            """
        case .addressUnavailable(let endpoint):
            "this machine does not have the address \(endpoint.address); --listen :\(endpoint.port) takes all that it has"
        case .permissionDenied(let endpoint):
            "port \(endpoint.port) needs more rights than this user has; choose one from 1024 up with --listen :PORT"
        default: "cannot listen: \(error)"
        }
    }
}
