import EventLoop
import HTTPClient
import PortMapping
import Primitives

/// Has a router hand our port through, with the node's sockets and clock.
///
/// Confined to the loop thread.
final class PortMappingDriver {
    private unowned let core: NodeCore
    private let port: UInt16
    /// Where we listen.
    private let address: IPAddress
    private var mapper: PortMapper
    private let socket: DatagramSocket
    private var http: HTTPClient?
    private var questions: [Int: HTTPClient.Ticket] = [:]
    private lazy var alarm = Alarm(core) { [unowned self] in tick() }
    private lazy var farewellAlarm = Alarm(core) { [unowned self] in tookLeave() }
    private var whenLeft: (() -> Void)?
    /// What the owner was told last.
    private var told = PortMappingState.searching

    /// A description and an answer of a device have a few KiB.
    private static let mostReplyBytes = 64 << 10
    private static let patience: Duration = .seconds(5)
    /// What taking the mapping away may add to a stop.
    private static let farewellLimit: Duration = .milliseconds(500)
    private static let mostRouteBytes = 64 << 10

    /// - Parameter place: where the node listens: a private address, or all of them.
    init(_ place: Endpoint, core: NodeCore) throws(SocketError) {
        self.core = core
        (address, port) = (place.address, place.port)
        mapper = PortMapper(port: port, seed: core.random.next())
        socket = try DatagramSocket(loop: core.loop, endpoint: Endpoint(.v4(0), 0))
        socket.handler = self
    }

    func start() {
        mapper.start(gateway: gateway, at: core.now)
        perform()
    }

    /// Takes the mapping away, and then calls back, soon.
    func stop(then done: @escaping () -> Void) {
        alarm.set(nil)
        whenLeft = done
        mapper.release(at: core.now)
        farewellAlarm.set(core.now + PortMappingDriver.farewellLimit)
        perform()
        if questions.isEmpty { tookLeave() }
    }

    private func tookLeave() {
        farewellAlarm.set(nil)
        alarm.set(nil)
        http?.close()
        http = nil
        socket.close()
        guard let done = whenLeft else { return }
        whenLeft = nil
        done()
    }

    /// How a node of the internet reaches the port by IPv4; `nil` while no router hands it through.
    func external(_ transport: MappedTransport) -> UInt16? {
        guard case .mapped(let tcp, let udp, _) = mapper.state else { return nil }
        return (transport == .tcp ? tcp : udp).externalPort
    }

    /// Where that is, if the router says.
    var externalEndpoint: Endpoint? {
        guard case .mapped(let tcp, _, let address?) = mapper.state else { return nil }
        return Endpoint(address, tcp.externalPort)
    }

    /// The router to ask; `nil` where we are on the internet without one.
    private var gateway: IPAddress? {
        let isOutside = InterfaceAddresses.current().contains { $0.isV4 && $0.isPublic }
        guard !address.isUnspecified || !isOutside else { return nil }
        return KernelFile.read("/proc/net/route", limit: PortMappingDriver.mostRouteBytes)
            .flatMap { RouteTable.defaultGateway(in: String(decoding: $0, as: UTF8.self)) }
    }

    private func tick() {
        mapper.tick(gateway: gateway, at: core.now)
        perform()
    }

    // MARK: Actions

    private func perform() {
        for action in mapper.takeActions() {
            switch action {
            case .send(let bytes, let place): socket.send(bytes.span.bytes, to: place)
            case .request(let request): ask(request)
            }
        }
        if whenLeft == nil { alarm.set(mapper.deadline) }
        tell()
    }

    private func ask(_ request: IGDRequest) {
        var question = HTTPClientRequest(url: request.url)
        // It is in our own network, and has no business to send us anywhere else in there.
        question.mostRedirects = 0
        question.family = .v4
        question.timeout = PortMappingDriver.patience
        question.mostReplyBytes = PortMappingDriver.mostReplyBytes
        if let call = request.call {
            question.method = .post
            question.body = call.body
            question.headers = [("Content-Type", "text/xml; charset=\"utf-8\""), ("SOAPAction", call.action)]
        }
        let ticket = request.ticket
        guard let client = client() else { return answered(ticket, nil) }
        questions[ticket] = client.send(question) { [weak core, weak self] result in
            core?.turn { self?.answered(ticket, result) }
        }
    }

    private func client() -> HTTPClient? {
        if http == nil { http = try? HTTPClient(loop: core.loop, agent: Node.clientName) }
        return http
    }

    private func answered(_ ticket: Int, _ result: Result<HTTPClientReply, HTTPClientError>?) {
        questions[ticket] = nil
        var answer: IGDReply?
        if case .success(let reply) = result, let device = reply.remoteAddress,
            let own = SourceAddress.towards(device)
        {
            answer = IGDReply(status: reply.status, body: reply.body, ownAddress: own)
        }
        mapper.replied(ticket, answer, at: core.now)
        perform()
        if whenLeft != nil, questions.isEmpty { tookLeave() }
    }

    // MARK: Telling

    private func tell() {
        guard mapper.state != told, whenLeft == nil else { return }
        let before = told
        told = mapper.state
        if let status = PortMappingStatus(told) { core.emit(.portMapping(status)) }
        if PortMappingDriver.ports(before, usual: port) != PortMappingDriver.ports(told, usual: port) {
            core.publicPortChanged()
        }
    }

    /// The port by which others reach us.
    private static func ports(_ state: PortMappingState, usual: UInt16) -> UInt16 {
        if case .mapped(let tcp, _, _) = state { tcp.externalPort } else { usual }
    }
}

extension PortMappingDriver: DatagramHandler {
    func datagramReceived(_ bytes: RawSpan, from sender: Endpoint, on socket: DatagramSocket) {
        mapper.datagramArrived(bytes, from: sender, at: core.now)
    }

    func datagramsDrained(_ socket: DatagramSocket) {
        core.turn { perform() }
    }
}
