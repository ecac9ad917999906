package import Primitives
import XML

/// Asks Internet gateway devices of UPnP for a port, and keeps it.
///
///     idle ── start ──▶ searching ── a device maps ──▶ mapped ── half of the lease is over ──▶ mapped
///       ▲                   │ none is left               │ ▲
///       │                   │           renewal in vain, │ │ a device maps
///       │                   │          then each minute  ▼ │
///       │                   │                     mapped, searching
///       │                   ▼                            │ a whole lease without renewal
///    release             failed ◀────────────────────────┘
///
/// Devices are looked at one at a time, each from its description through its services. A router that was switched off
/// and on has forgotten the mapping, and often is to be asked at another port: hence the search.
package struct IGDClient: Sendable {
    /// Gateways answer within a second or two, and take some six calls. A device that lets us wait must not keep us from
    /// the next one for long.
    private static let mostTimeOfDevice = Duration.seconds(30)
    /// Other hosts take ports too, and a gateway that refuses five refuses the sixth.
    private static let mostSpares = 4
    private static let shortestRenewal = Duration.seconds(60)
    private static let retryInterval = Duration.seconds(60)

    private struct Device {
        let description: LocalURL
        /// Not tried yet.
        var services: [IGDService] = []
        var client = IPAddress.anyV4
        /// With the service that is asked; `nil` before the device has described itself.
        var negotiation: IGDNegotiation?
    }

    private struct Lease {
        var negotiation: IGDNegotiation
        var renewal: Instant
        let end: Instant
        /// Why it was not renewed; `nil` before that was tried.
        var fault: PortMappingFault?
    }

    /// `searching` also when idle.
    package private(set) var state = PortMappingState.searching
    private let port: UInt16
    private let gateway: IPAddress?
    private var random: SeededRandom
    private var actions: [PortMappingAction] = []
    private var nextTicket = 0
    /// Of the only request whose reply counts: to the device, or without one to the service that maps.
    private var ticket: Int?
    /// When the one who is asked has had its time.
    private var giveUp: Instant?
    private var search: IGDSearch?
    private var device: Device?
    private var lease: Lease?

    /// - Parameters:
    ///   - port: ours, the same in both transports.
    ///   - seed: for the external ports that are tried when ours is taken.
    ///   - gateway: whose devices are looked at first, and others only when the search is over: another host of the
    ///     network could answer sooner, and claim to map what it cannot. `nil` where it is not known.
    package init(port: UInt16, seed: UInt64, gateway: IPAddress? = nil) {
        self.port = port
        self.gateway = gateway
        random = SeededRandom(seed: seed)
    }

    // MARK: What happens

    /// Searches for gateways, three seconds long; does nothing unless idle or failed.
    package mutating func start(at now: Instant) {
        guard search == nil, lease == nil else { return }
        // Replies to a client before this one have other numbers.
        nextTicket = max(nextTicket, Int(truncatingIfNeeded: now.nanoseconds))
        state = .searching
        beginSearch(at: now)
    }

    /// A datagram came to the socket that the searches were sent from. Only answers to them are looked at.
    package mutating func datagramArrived(_ bytes: RawSpan, from sender: Endpoint, at now: Instant) {
        search?.datagramArrived(bytes, from: sender, at: now)
        lookAtNext(at: now)
    }

    /// A request was answered, or was not: `reply` is `nil` when there was no answer in time.
    package mutating func replied(_ ticket: Int, _ reply: IGDReply?, at now: Instant) {
        guard ticket == self.ticket else { return }
        self.ticket = nil
        if device == nil {
            if let step = lease?.negotiation.answered(reply) { followRenewal(step, at: now) }
        } else if let step = device?.negotiation?.answered(reply) {
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
        if let giveUp, giveUp <= now { abandon(at: now) }
        if let lease, lease.end <= now { leaseEnded() }
        if search != nil { return lookAtNext(at: now) }
        guard let lease, giveUp == nil, lease.renewal <= now else { return }
        if lease.fault == nil { renew(at: now) } else { beginSearch(at: now) }
    }

    /// Takes the mappings away, and is idle. Nobody waits for the replies.
    package mutating func release(at now: Instant) {
        takeAway(device?.negotiation)
        takeAway(lease?.negotiation)
        search = nil
        lease = nil
        forgetDevice()
        state = .searching
    }

    // MARK: What is to be done

    /// When `tick` is to be called; `nil` when idle or failed.
    package var deadline: Instant? {
        var times = [lease?.end, giveUp, search?.repetition]
        if let search, device == nil { times.append(search.end) }
        if search == nil, giveUp == nil { times.append(lease?.renewal) }
        return times.compactMap { $0 }.min()
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

    private mutating func takeAway(_ negotiation: IGDNegotiation?) {
        guard let negotiation else { return }
        for removal in negotiation.removals { _ = call(removal, of: negotiation.service) }
    }

    // MARK: One device after the other

    private mutating func beginSearch(at now: Instant) {
        search = IGDSearch(gateway: gateway, at: now)
        if let fault = lease?.fault { search?.note(fault) }
        sendSearches()
    }

    private mutating func lookAtNext(at now: Instant) {
        guard device == nil, let search else { return }
        if let url = self.search?.next(at: now) {
            device = Device(description: url)
            giveUp = now + IGDClient.mostTimeOfDevice
            ticket = request(url)
        } else if search.isOver(at: now) {
            guard lease != nil else { return fail(search.fault) }
            self.search = nil
            lease?.fault = search.fault
            lease?.renewal = now + IGDClient.retryInterval
        }
    }

    private mutating func described(_ reply: IGDReply?, at now: Instant) {
        if let reply, reply.status == 200, reply.ownAddress.isV4, let url = device?.description {
            do throws(XMLError) {
                device?.services = try IGDService.described(in: reply.body, at: url)
                device?.client = reply.ownAddress
            } catch {
                search?.note(PortMappingFault(error))
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
        let old = lease?.negotiation
        var negotiation = IGDNegotiation(service, port: port, client: device.client, spares: spares(), renewing: old)
        let step = negotiation.begin()
        self.device?.negotiation = negotiation
        follow(step, at: now)
    }

    private mutating func follow(_ step: IGDNegotiation.Step, at now: Instant) {
        guard let negotiation = device?.negotiation else { return }
        switch step {
        case .ask(let question): ticket = call(question, of: negotiation.service)
        case .mapped(let address, let lifetime): hold(negotiation, address, lifetime, at: now)
        case .failed(let fault):
            search?.note(fault)
            if lease != nil, !negotiation.isWhole { loseMapping() }
            tryNextService(at: now)
        }
    }

    private mutating func abandon(at now: Instant) {
        ticket = nil
        guard let device else { return followRenewal(.failed(.noAnswer), at: now) }
        if device.negotiation?.isRenewal == false { takeAway(device.negotiation) }
        forgetDevice()
        lookAtNext(at: now)
    }

    private mutating func forgetDevice() {
        device = nil
        ticket = nil
        giveUp = nil
    }

    private mutating func fail(_ fault: PortMappingFault) {
        search = nil
        lease = nil
        forgetDevice()
        state = .failed(fault)
    }

    // MARK: A mapping

    private mutating func hold(
        _ negotiation: IGDNegotiation,
        _ address: IPAddress?,
        _ lifetime: Duration,
        at now: Instant
    ) {
        search = nil
        forgetDevice()
        let renewal = now + max(lifetime / 2, IGDClient.shortestRenewal)
        lease = Lease(negotiation: negotiation, renewal: renewal, end: now + lifetime)
        let externalPort = negotiation.externalPort
        state = .mapped(
            tcp: PortMapping(.tcp, port: port, externalPort: externalPort, means: .upnp),
            udp: PortMapping(.udp, port: port, externalPort: externalPort, means: .upnp),
            address: address
        )
    }

    private mutating func renew(at now: Instant) {
        let spares = spares()
        guard let step = lease?.negotiation.renew(spares: spares) else { return }
        giveUp = now + IGDClient.mostTimeOfDevice
        followRenewal(step, at: now)
    }

    private mutating func followRenewal(_ step: IGDNegotiation.Step, at now: Instant) {
        guard let negotiation = lease?.negotiation else { return }
        switch step {
        case .ask(let question): ticket = call(question, of: negotiation.service)
        case .mapped(let address, let lifetime): hold(negotiation, address, lifetime, at: now)
        case .failed(let fault) where negotiation.isWhole:
            giveUp = nil
            lease?.fault = fault
            beginSearch(at: now)
        case .failed(let fault):
            takeAway(negotiation)
            fail(fault)
        }
    }

    private mutating func leaseEnded() {
        if search == nil { fail(lease?.fault ?? .noAnswer) } else { loseMapping() }
    }

    /// A search that is under way goes on.
    private mutating func loseMapping() {
        lease = nil
        state = .searching
    }

    /// Below 10000 are ports of known services, above 65000 some that gateways use themselves.
    private mutating func spares() -> [UInt16] {
        (0..<IGDClient.mostSpares).map { _ in UInt16.random(in: 10_000...65_000, using: &random) }
    }
}
