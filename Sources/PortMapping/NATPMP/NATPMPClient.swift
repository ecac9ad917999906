package import Primitives

/// Has the gateway hand a port through by NAT-PMP (RFC 6886), the same in TCP and UDP, for as long as it is wanted.
///
/// One question is open at a time, as 3.1 asks for. Once all are answered the gateway is asked for its address each
/// minute: that tells when the address changes, and by the epoch when the gateway has restarted and knows nothing any more.
package struct NATPMPClient: Hashable, Sendable {
    /// Seconds. RFC 6886, 3.3, recommends two hours; half of it later the mapping is renewed.
    static let lifetime: UInt32 = 7200
    static let checkInterval: Duration = .seconds(60)
    /// The first wait for an answer, doubled with each (3.1).
    static let firstWait: Duration = .milliseconds(250)
    /// The RFC asks nine times, for two minutes; a gateway that is silent to three has no NAT-PMP, and there is UPnP.
    static let mostTries = 3
    /// After a round that nobody answered.
    static let pause: Duration = .seconds(60)
    /// A gateway that grants less is not asked more often for it.
    static let shortestRenewal: Duration = .seconds(2)

    package private(set) var state = PortMappingState.searching
    /// When the question is asked again, or the next round begins.
    package private(set) var deadline: Instant?
    private let port: UInt16
    private let gateway: Endpoint
    /// What is still to be asked in this round.
    private var waiting: [Step] = []
    private var question: NATPMPQuestion?
    private var tries = 0
    private var address: IPAddress?
    private var mappings: [MappedTransport: PortMapping] = [:]
    /// What was ever asked for: an answer may be lost, and the mapping is there all the same.
    private var wished: Set<MappedTransport> = []
    private var renewal = Instant.distantFuture
    /// When the gateway forgets the first of the mappings.
    private var end = Instant.distantFuture
    private var epoch: Epoch?
    private var actions: [PortMappingAction] = []

    private enum Step: Hashable {
        case address
        case map(MappedTransport)
    }

    private struct Epoch: Hashable {
        let seconds: UInt32
        let at: Instant

        /// RFC 6886, 3.6: the other clock may run an eighth slower than ours, and two seconds are forgiven.
        func fits(_ next: Epoch) -> Bool {
            let elapsed = (next.at - at).components.seconds
            return Int64(next.seconds) + 2 >= Int64(seconds) + elapsed - elapsed / 8
        }
    }

    /// - Parameter port: ours, and the one that is wished for outside.
    /// - Parameter gateway: the way to other networks.
    package init(port: UInt16, gateway: IPAddress) {
        self.port = port
        self.gateway = Endpoint(gateway, 5351)
    }

    package mutating func start(at now: Instant) { begin([.address, .map(.tcp), .map(.udp)], at: now) }

    /// Takes the mappings away, and is done. Whether the gateway hears it is not waited for: they end by themselves.
    package mutating func release() {
        for transport in MappedTransport.allCases where wished.contains(transport) {
            let question = NATPMPQuestion.map(transport, port: port, externalPort: 0, seconds: 0)
            actions.append(.send(question.bytes, to: gateway))
        }
        mappings = [:]
        wished = []
        waiting = []
        question = nil
        deadline = nil
    }

    package mutating func takeActions() -> [PortMappingAction] {
        defer { actions = [] }
        return actions
    }

    // MARK: Asking

    private mutating func begin(_ steps: [Step], at now: Instant) {
        waiting = steps
        askNext(at: now)
    }

    private mutating func askNext(at now: Instant) {
        guard let step = waiting.first else { return rest(at: now) }
        waiting.removeFirst()
        switch step {
        case .address: question = .address
        case .map(let transport):
            // The other transport's number, so that one number is enough for both.
            wished.insert(transport)
            let wish = mappings[transport]?.externalPort ?? mappings[.tcp]?.externalPort ?? port
            question = .map(transport, port: port, externalPort: wish, seconds: NATPMPClient.lifetime)
        }
        tries = 0
        ask(at: now)
    }

    private mutating func ask(at now: Instant) {
        guard let question else { return }
        actions.append(.send(question.bytes, to: gateway))
        deadline = now + NATPMPClient.firstWait * (1 << tries)
        tries += 1
    }

    /// All is answered.
    private mutating func rest(at now: Instant) {
        question = nil
        guard let tcp = mappings[.tcp], let udp = mappings[.udp] else { return fail(.malformed) }
        state = .mapped(tcp: tcp, udp: udp, address: address)
        deadline = min(renewal, now + NATPMPClient.checkInterval)
    }

    private mutating func fail(_ fault: PortMappingFault) {
        release()
        state = .failed(fault)
    }

    package mutating func tick(at now: Instant) {
        guard let deadline, now >= deadline else { return }
        guard question != nil else { return now >= renewal ? start(at: now) : begin([.address], at: now) }
        if tries < NATPMPClient.mostTries { return ask(at: now) }
        guard case .mapped = state, now < end else { return fail(.noAnswer) }
        question = nil
        waiting = []
        // Of a check that was lost too: it may be the end of the gateway.
        renewal = now + NATPMPClient.pause
        self.deadline = min(renewal, end)
    }

    // MARK: Answers

    package mutating func datagramArrived(_ bytes: RawSpan, from sender: Endpoint, at now: Instant) {
        guard sender == gateway, let question, let message = NATPMPMessage(bytes, to: question) else { return }
        let epoch = Epoch(seconds: message.epoch, at: now)
        let hasForgotten = self.epoch.map { !$0.fits(epoch) } ?? false
        self.epoch = epoch
        switch (message.content, question) {
        // Without an address outside it may still map, for when it has one.
        case (.refused, .address): address = nil
        case (.refused(let code), _): return fail(.refused(NATPMPMessage.words(code)))
        case (.address(let address), _): self.address = address.isUnspecified ? nil : address
        case (.mapped(let externalPort, let seconds), .map(let transport, _, _, _)):
            guard externalPort > 0, seconds > 0 else { return fail(.malformed) }
            keep(PortMapping(transport, port: port, externalPort: externalPort, means: .natPMP), seconds, at: now)
        case (.mapped, .address): return
        }
        // In a longer round it is asked for all of them anyway.
        guard hasForgotten, question == .address, waiting.isEmpty else { return askNext(at: now) }
        begin([.map(.tcp), .map(.udp)], at: now)
    }

    private mutating func keep(_ mapping: PortMapping, _ seconds: UInt32, at now: Instant) {
        mappings[mapping.transport] = mapping
        let lifetime = Duration.seconds(Int64(seconds))
        // TCP is the first of each round, so the round's times begin with it.
        if mapping.transport == .tcp { (renewal, end) = (.distantFuture, .distantFuture) }
        renewal = min(renewal, now + max(lifetime / 2, NATPMPClient.shortestRenewal))
        end = min(end, now + lifetime)
    }
}
