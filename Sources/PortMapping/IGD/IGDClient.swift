package import Primitives
import XML

/// Asks Internet gateway devices of UPnP for a port, and keeps it.
///
///     idle ── start ──▶ searching ── a device maps ──▶ mapped ── half of the lease is over ──▶ mapped
///       ▲                   │ none is left                │ a whole lease without renewal
///       │                   ▼                             ▼
///    release             failed ◀──────────────────────── failed
///
/// Devices are looked at one at a time, each from its description through its services. `state` is `searching` when idle.
package struct IGDClient: Sendable {
    /// Whoever is in the network can answer a search, with as many devices as he likes.
    private static let mostDevices = 8
    /// Gateways answer within a second or two, and take some six calls. A device that lets us wait must not keep us from
    /// the next one for long.
    private static let mostTimeOfDevice = Duration.seconds(30)
    /// A datagram may get lost: the second search is sent after it, and its answers may take two seconds.
    private static let searchInterval = Duration.seconds(1)
    private static let searchTime = searchInterval + .seconds(SSDP.mostDelay)
    /// Other hosts take ports too, and a gateway that refuses five refuses the sixth.
    private static let mostSpares = 4
    private static let shortestRenewal = Duration.seconds(60)
    private static let retryInterval = Duration.seconds(60)

    private struct Search {
        /// When the searches are sent a second time.
        var repetition: Instant?
        let end: Instant
        var waiting: [LocalURL] = []
        var seen: Set<LocalURL> = []
        /// What the devices so far have failed by.
        var fault = PortMappingFault.noAnswer
    }

    private struct Device {
        let description: LocalURL
        /// Not tried yet.
        var services: [IGDService] = []
        var client = IPAddress.anyV4
        /// With the service that is asked; `nil` before the device has described itself.
        var negotiation: IGDNegotiation?
    }

    private struct Lease {
        var renewal: Instant
        let end: Instant
        /// Why it was not renewed.
        var fault = PortMappingFault.noAnswer
    }

    package private(set) var state = PortMappingState.searching
    private let port: UInt16
    private var random: SeededRandom
    private var actions: [PortMappingAction] = []
    private var nextTicket = 0
    /// Of the only request whose reply counts.
    private var ticket: Int?
    /// When the device has had its time.
    private var giveUp: Instant?
    private var search: Search?
    private var device: Device?
    private var lease: Lease?

    /// - Parameters:
    ///   - port: ours, the same in both transports.
    ///   - seed: for the external ports that are tried when ours is taken.
    package init(port: UInt16, seed: UInt64) {
        self.port = port
        random = SeededRandom(seed: seed)
    }

    // MARK: What happens

    /// Searches for gateways, three seconds long; does nothing unless idle or failed.
    package mutating func start(at now: Instant) {
        guard search == nil, lease == nil else { return }
        state = .searching
        device = nil
        search = Search(repetition: now + IGDClient.searchInterval, end: now + IGDClient.searchTime)
        sendSearches()
    }

    /// A datagram came to the socket that the searches were sent from. Only answers to them are looked at.
    package mutating func datagramArrived(_ bytes: RawSpan, from sender: Endpoint, at now: Instant) {
        guard let search, now <= search.end, search.seen.count < IGDClient.mostDevices,
            let answer = SSDPAnswer(bytes, from: sender), !search.seen.contains(answer.location)
        else { return }
        self.search?.seen.insert(answer.location)
        self.search?.waiting.append(answer.location)
        lookAtNext(at: now)
    }

    /// A request was answered, or was not: `reply` is `nil` when there was no answer in time.
    package mutating func replied(_ ticket: Int, _ reply: IGDReply?, at now: Instant) {
        guard ticket == self.ticket, device != nil else { return }
        self.ticket = nil
        if let step = device?.negotiation?.answered(reply) {
            follow(step, at: now)
        } else {
            described(reply, at: now)
        }
    }

    /// Time has passed: to be called at `deadline`.
    package mutating func tick(at now: Instant) {
        if let repetition = search?.repetition, repetition <= now {
            search?.repetition = nil
            sendSearches()
        }
        if let giveUp, giveUp <= now { abandonDevice(at: now) }
        if let lease {
            if lease.end <= now {
                fail(lease.fault)
            } else if ticket == nil, lease.renewal <= now {
                renew(at: now)
            }
        } else {
            lookAtNext(at: now)
        }
    }

    /// Takes the mappings away, and is idle. Nobody waits for the replies.
    package mutating func release(at now: Instant) {
        takeAway()
        search = nil
        lease = nil
        forgetDevice()
        state = .searching
    }

    // MARK: What is to be done

    package var deadline: Instant? {
        if let lease { return min(giveUp ?? lease.renewal, lease.end) }
        guard let search else { return nil }
        return [search.repetition, device == nil ? search.end : giveUp].compactMap { $0 }.min()
    }

    package mutating func takeActions() -> [PortMappingAction] {
        defer { actions = [] }
        return actions
    }

    private mutating func sendSearches() {
        for datagram in SSDP.searches { actions.append(.send(datagram, to: SSDP.group)) }
    }

    private mutating func request(_ url: LocalURL, _ call: IGDRequest.Call? = nil) -> Int {
        actions.append(.request(IGDRequest(ticket: nextTicket, url: "\(url)", call: call)))
        nextTicket &+= 1
        return nextTicket &- 1
    }

    private mutating func call(_ call: IGDCall, of service: IGDService) -> Int {
        request(service.control, call.request(to: service.kind))
    }

    // MARK: One device after the other

    private mutating func lookAtNext(at now: Instant) {
        guard device == nil, let search else { return }
        if let url = search.waiting.first {
            self.search?.waiting.removeFirst()
            device = Device(description: url)
            giveUp = now + IGDClient.mostTimeOfDevice
            ticket = request(url)
        } else if search.end <= now {
            fail(search.fault)
        }
    }

    private mutating func described(_ reply: IGDReply?, at now: Instant) {
        if let reply, reply.status == 200, reply.ownAddress.isV4, let url = device?.description {
            do throws(XMLError) {
                device?.services = try IGDService.described(in: reply.body, at: url)
                device?.client = reply.ownAddress
            } catch {
                note(PortMappingFault(error))
            }
        }
        tryNextService(at: now)
    }

    private mutating func tryNextService(at now: Instant) {
        guard let device, let service = device.services.first else {
            forgetDevice()
            return lookAtNext(at: now)
        }
        self.device?.services.removeFirst()
        var negotiation = IGDNegotiation(service, port: port, client: device.client, spares: spares())
        let step = negotiation.begin()
        self.device?.negotiation = negotiation
        follow(step, at: now)
    }

    private mutating func follow(_ step: IGDNegotiation.Step, at now: Instant) {
        switch step {
        case .ask(let question):
            ticket = device?.negotiation.map { call(question, of: $0.service) }
        case .mapped(let address, let lifetime):
            mapped(address, lifetime, at: now)
        case .failed(let fault) where lease != nil:
            renewalFailed(fault, at: now)
        case .failed(let fault):
            note(fault)
            tryNextService(at: now)
        }
    }

    private mutating func abandonDevice(at now: Instant) {
        ticket = nil
        if lease != nil { return renewalFailed(.noAnswer, at: now) }
        takeAway()
        forgetDevice()
        lookAtNext(at: now)
    }

    private mutating func forgetDevice() {
        device = nil
        ticket = nil
        giveUp = nil
    }

    /// A refusal says more than silence, and of refusals the last is told.
    private mutating func note(_ fault: PortMappingFault) {
        switch (search?.fault, fault) {
        case (_, .noAnswer), (.refused, .malformed): break
        default: search?.fault = fault
        }
    }

    private mutating func fail(_ fault: PortMappingFault) {
        search = nil
        lease = nil
        forgetDevice()
        state = .failed(fault)
    }

    // MARK: A mapping

    private mutating func mapped(_ address: IPAddress?, _ lifetime: Duration, at now: Instant) {
        guard let externalPort = device?.negotiation?.externalPort else { return }
        search = nil
        giveUp = nil
        lease = Lease(renewal: now + max(lifetime / 2, IGDClient.shortestRenewal), end: now + lifetime)
        state = .mapped(
            tcp: PortMapping(.tcp, port: port, externalPort: externalPort, means: .upnp),
            udp: PortMapping(.udp, port: port, externalPort: externalPort, means: .upnp),
            address: address
        )
    }

    private mutating func renew(at now: Instant) {
        let spares = spares()
        guard let step = device?.negotiation?.renew(spares: spares) else { return }
        giveUp = now + IGDClient.mostTimeOfDevice
        follow(step, at: now)
    }

    private mutating func renewalFailed(_ fault: PortMappingFault, at now: Instant) {
        giveUp = nil
        guard device?.negotiation?.isWhole == true else {
            takeAway()
            return fail(fault)
        }
        lease?.renewal = now + IGDClient.retryInterval
        lease?.fault = fault
    }

    private mutating func takeAway() {
        guard let negotiation = device?.negotiation else { return }
        for transport in MappedTransport.allCases where negotiation.held.contains(transport) {
            _ = call(.delete(transport, externalPort: negotiation.externalPort), of: negotiation.service)
        }
    }

    /// Below 10000 are ports of known services, above 65000 some that gateways use themselves.
    private mutating func spares() -> [UInt16] {
        (0..<IGDClient.mostSpares).map { _ in UInt16.random(in: 10_000...65_000, using: &random) }
    }
}
