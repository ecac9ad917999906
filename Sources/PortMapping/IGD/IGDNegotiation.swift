import Primitives

/// What one service is asked, call by call, until it maps the port in both transports or turns out to be of no use.
///
///     status ──▶ address ──▶ add TCP ──▶ add UDP ──▶ mapped
///                              │ ▲          │
///                     conflict ▼ │ another  ▼ conflict
///                            entry: another's ──▶ delete what is ours, and again with another port
///
/// A renewal begins with the address.
struct IGDNegotiation: Sendable {
    enum Step: Hashable, Sendable {
        case ask(IGDCall)
        /// - Parameter lifetime: after which the mapping may be gone.
        case mapped(address: IPAddress?, lifetime: Duration)
        case failed(PortMappingFault)
    }

    private enum Afterwards: Hashable, Sendable {
        case tryAnotherPort
        case fail(PortMappingFault)
    }

    /// In seconds. So long a port of ours stays open when we end without a word, and half as long it stays closed when the
    /// router was switched off and on.
    static let lease = 1200
    /// Also that of a mapping without an end: a gateway forgets it when it is switched off.
    private static let longestLifetime = Duration.seconds(lease)
    /// A mapping of ours that was there has less of its lease left; renewed each minute it is not asked for too often.
    private static let shortestLifetime = Duration.seconds(120)

    let service: IGDService
    private(set) var externalPort: UInt16
    /// What the gateway may have of ours at `externalPort`.
    private(set) var held: Set<MappedTransport> = []
    private let port: UInt16
    /// External ports to try when that one is another's.
    private var spares: [UInt16]
    private var client: IPAddress
    private var lease = IGDNegotiation.lease
    private var address: IPAddress?
    private var lifetime = IGDNegotiation.longestLifetime
    private var call = IGDCall.status
    private var afterwards = Afterwards.tryAnotherPort
    /// What is held is left in peace: it works until its lease ends, whatever the renewal comes to.
    private(set) var isRenewal = false

    /// - Parameters:
    ///   - client: our address towards the gateway.
    ///   - spares: external ports to try after our own number.
    ///   - old: the mapping that is to be kept, by a service that may be another than before.
    init(
        _ service: IGDService,
        port: UInt16,
        client: IPAddress,
        spares: [UInt16],
        renewing old: IGDNegotiation? = nil
    ) {
        self.service = service
        self.port = port
        self.client = client
        self.spares = spares
        externalPort = old?.externalPort ?? port
        held = old?.held ?? []
        isRenewal = old != nil
    }

    /// Whether both transports are mapped as far as is known.
    var isWhole: Bool { held.count == MappedTransport.allCases.count }

    /// What takes away all that is held.
    var removals: [IGDCall] {
        MappedTransport.allCases.filter(held.contains).map { .delete($0, externalPort: externalPort) }
    }

    mutating func begin() -> Step { ask(.status) }

    mutating func renew(spares: [UInt16]) -> Step {
        self.spares = spares
        isRenewal = true
        lifetime = IGDNegotiation.longestLifetime
        return ask(.externalAddress)
    }

    /// Takes the reply to the last call; `nil` if none came in time.
    mutating func answered(_ reply: IGDReply?) -> Step {
        if let reply, reply.ownAddress.isV4 { client = reply.ownAddress }
        let answer = reply.map { IGDAnswer($0, to: call) }
        if case .delete(let transport, _) = call {
            held.remove(transport)
            return clear()
        }
        guard let answer else { return end(.noAnswer) }
        switch call {
        case .status: return statusAnswered(answer)
        case .externalAddress:
            address = IGDNegotiation.address(in: answer)
            return add(.tcp)
        case .add(let transport, _, _, _, _): return addAnswered(transport, answer)
        case .entry(let transport, _): return entryAnswered(transport, answer)
        case .delete: return clear()
        }
    }

    private mutating func ask(_ call: IGDCall) -> Step {
        self.call = call
        return .ask(call)
    }

    /// A gateway with two lines has a service for each, and only one of them is in use. One that cannot say is believed to
    /// be connected.
    private mutating func statusAnswered(_ answer: IGDAnswer) -> Step {
        if case .done(let values) = answer, let status = values["NewConnectionStatus"],
            status != "Connected", status != "Up"
        {
            return end(.refused("its line out is not connected"))
        }
        return ask(.externalAddress)
    }

    /// The mapping is worth having without it.
    private static func address(in answer: IGDAnswer) -> IPAddress? {
        guard case .done(let values) = answer, let text = values["NewExternalIPAddress"],
            let address = IPAddress(text), address.isV4, !address.isUnspecified
        else { return nil }
        return address
    }

    // MARK: Mapping

    private mutating func add(_ transport: MappedTransport) -> Step {
        held.insert(transport)
        return ask(.add(transport, externalPort: externalPort, port: port, client: client, lease: lease))
    }

    private mutating func addAnswered(_ transport: MappedTransport, _ answer: IGDAnswer) -> Step {
        switch answer {
        case .done: return added(transport)
        // Not the arguments are wrong but that there is a lease, as some say instead of 725 (OnlyPermanentLeasesSupported).
        case .refused(402, _) where lease > 0, .refused(725, _) where lease > 0:
            lease = 0
            return add(transport)
        // ConflictInMappingEntry; ConflictWithOtherMechanisms.
        case .refused(718, let fault), .refused(729, let fault):
            afterwards = spares.isEmpty ? .fail(fault) : .tryAnotherPort
            return ask(.entry(transport, externalPort: externalPort))
        case .refused(_, let fault):
            if !isRenewal { held.remove(transport) }
            return end(fault)
        case .unreadable(let fault): return end(fault)
        }
    }

    private mutating func added(_ transport: MappedTransport) -> Step {
        transport == .tcp ? add(.udp) : .mapped(address: address, lifetime: lifetime)
    }

    private mutating func entryAnswered(_ transport: MappedTransport, _ answer: IGDAnswer) -> Step {
        if case .done(let values) = answer, values["NewInternalPort"] == "\(port)",
            values["NewInternalClient"] == "\(client)", values["NewEnabled"] != "0"
        {
            let left = values["NewLeaseDuration"].flatMap { UInt32($0) }.map { Duration.seconds($0) } ?? .zero
            if left > .zero { lifetime = min(lifetime, max(left, IGDNegotiation.shortestLifetime)) }
            return added(transport)
        }
        held.remove(transport)
        isRenewal = false
        return clear()
    }

    // MARK: Ending

    private mutating func end(_ fault: PortMappingFault) -> Step {
        if isRenewal { return .failed(fault) }
        afterwards = .fail(fault)
        return clear()
    }

    /// Takes away what is held, then goes on.
    private mutating func clear() -> Step {
        if let next = removals.first { return ask(next) }
        switch afterwards {
        case .fail(let fault): return .failed(fault)
        case .tryAnotherPort:
            // There is one: an empty list has set the other end.
            externalPort = spares.popLast() ?? port
            return add(.tcp)
        }
    }
}
