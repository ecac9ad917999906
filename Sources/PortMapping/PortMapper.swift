package import Primitives

/// Has the port of a node handed through by whatever gateway there is: NAT-PMP first, which takes a second to find out, then
/// UPnP; and from the beginning when what there was is gone.
package struct PortMapper: Sendable {
    /// Routers are switched on, and set up, while a node runs.
    static let firstPause: Duration = .seconds(60)
    static let longestPause: Duration = .seconds(1800)
    /// Interfaces come up late, and to look for a gateway costs nothing.
    static let lookInterval: Duration = .seconds(10)

    /// How often it is looked whether the gateway is still the same.
    static let checkInterval: Duration = .seconds(60)

    package private(set) var state = PortMappingState.searching
    package private(set) var deadline: Instant?
    private let port: UInt16
    private let seed: UInt64
    private var phase = Phase.resting
    /// Who is asked, or would be.
    private var gateway: IPAddress?
    private var pause = PortMapper.firstPause
    /// Why the way that was tried before did not work, if it was more than silence.
    private var refusal: PortMappingFault?
    private var actions: [PortMappingAction] = []

    private enum Phase: Sendable {
        case resting
        case natPMP(NATPMPClient)
        case upnp(IGDClient)
        case ended
    }

    /// - Parameter port: ours, in TCP and UDP.
    /// - Parameter seed: for the external ports that are tried when that one is taken.
    package init(port: UInt16, seed: UInt64) {
        self.port = port
        self.seed = seed
    }

    /// - Parameter gateway: the default gateway of this host at the moment; `nil` if there is none.
    package mutating func start(gateway: IPAddress?, at now: Instant) {
        refusal = nil
        self.gateway = gateway
        guard let gateway else { return fail(.noGateway, at: now) }
        var client = NATPMPClient(port: port, gateway: gateway)
        client.start(at: now)
        advance(.natPMP(client), at: now)
    }

    /// - Parameter gateway: the default gateway of this host at the moment. Another one, and all begins anew: a laptop is
    ///   in another network.
    package mutating func tick(gateway: IPAddress?, at now: Instant) {
        guard let deadline, now >= deadline else { return }
        guard gateway == self.gateway else { return start(gateway: gateway, at: now) }
        switch phase {
        case .resting: start(gateway: gateway, at: now)
        case .natPMP(var client):
            client.tick(at: now)
            advance(.natPMP(client), at: now)
        case .upnp(var client):
            client.tick(at: now)
            advance(.upnp(client), at: now)
        case .ended: self.deadline = nil
        }
    }

    package mutating func datagramArrived(_ bytes: RawSpan, from sender: Endpoint, at now: Instant) {
        switch phase {
        case .natPMP(var client):
            client.datagramArrived(bytes, from: sender, at: now)
            advance(.natPMP(client), at: now)
        case .upnp(var client):
            client.datagramArrived(bytes, from: sender, at: now)
            advance(.upnp(client), at: now)
        case .resting, .ended: break
        }
    }

    /// - Parameter reply: `nil` where none came in time, or more than a device has to say.
    package mutating func replied(_ ticket: Int, _ reply: IGDReply?, at now: Instant) {
        guard case .upnp(var client) = phase else { return }
        client.replied(ticket, reply, at: now)
        advance(.upnp(client), at: now)
    }

    /// Takes the mapping away, and is done.
    package mutating func release(at now: Instant) {
        switch phase {
        case .natPMP(var client):
            client.release()
            actions += client.takeActions()
        case .upnp(var client):
            client.release(at: now)
            actions += client.takeActions()
        case .resting, .ended: break
        }
        phase = .ended
        deadline = nil
    }

    package mutating func takeActions() -> [PortMappingAction] {
        defer { actions = [] }
        return actions
    }

    /// Takes over what came of a client.
    private mutating func advance(_ next: Phase, at now: Instant) {
        switch next {
        case .natPMP(var client):
            actions += client.takeActions()
            phase = .natPMP(client)
            deadline = client.deadline.map { min($0, now + PortMapper.checkInterval) }
            if case .failed(let fault) = client.state { natPMPFailed(fault, at: now) } else { take(client.state) }
        case .upnp(var client):
            actions += client.takeActions()
            phase = .upnp(client)
            deadline = client.deadline.map { min($0, now + PortMapper.checkInterval) }
            if case .failed(let fault) = client.state { fail(fault, at: now) } else { take(client.state) }
        case .resting, .ended: break
        }
    }

    /// A search that goes on changes nothing that was known.
    private mutating func take(_ state: PortMappingState) {
        guard case .mapped = state else { return }
        self.state = state
        pause = PortMapper.firstPause
    }

    private mutating func natPMPFailed(_ fault: PortMappingFault, at now: Instant) {
        if fault != .noAnswer { refusal = fault }
        var client = IGDClient(port: port, seed: seed, gateway: gateway)
        client.start(at: now)
        advance(.upnp(client), at: now)
    }

    private mutating func fail(_ fault: PortMappingFault, at now: Instant) {
        let wasMapped = if case .mapped = state { true } else { false }
        state = .failed(fault == .noAnswer ? refusal ?? fault : fault)
        phase = .resting
        // What worked a moment ago may work again.
        deadline = now + (wasMapped ? .seconds(1) : fault == .noGateway ? PortMapper.lookInterval : pause)
        if fault != .noGateway { pause = min(pause * 2, PortMapper.longestPause) }
    }
}
