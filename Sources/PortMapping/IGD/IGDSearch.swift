import Primitives

/// A search for gateways: who has answered, and whose turn it is.
struct IGDSearch: Sendable {
    /// Whoever is in the network can answer, with as many devices as he likes.
    private static let mostDevices = 8
    /// Of them devices elsewhere than at our gateway: the others are for that one, however late it answers.
    private static let mostStrangers = 6
    /// A datagram may get lost: the second search is sent after it, and its answers may take two seconds.
    private static let interval = Duration.seconds(1)
    private static let length = interval + .seconds(SSDP.mostDelay)

    /// When the searches are sent a second time; `nil` once they are.
    var repetition: Instant?
    let end: Instant
    /// What the devices so far have failed by.
    private(set) var fault = PortMappingFault.noAnswer
    private let gateway: IPAddress?
    private var waiting: [LocalURL] = []
    private var seen: Set<LocalURL> = []

    init(gateway: IPAddress?, at now: Instant) {
        self.gateway = gateway
        repetition = now + IGDSearch.interval
        end = now + IGDSearch.length
    }

    func isOver(at now: Instant) -> Bool { end <= now }

    mutating func datagramArrived(_ bytes: RawSpan, from sender: Endpoint, at now: Instant) {
        let isStranger = gateway != nil && gateway != sender.address
        let most = isStranger ? IGDSearch.mostStrangers : IGDSearch.mostDevices
        guard now <= end, seen.count < most, let answer = SSDPAnswer(bytes, from: sender) else { return }
        if seen.insert(answer.location).inserted { waiting.append(answer.location) }
    }

    /// Takes out the device that is to be looked at now: our gateway, and others only when the search is over.
    mutating func next(at now: Instant) -> LocalURL? {
        if let own = waiting.firstIndex(where: { gateway == nil || $0.server.address == gateway }) {
            return waiting.remove(at: own)
        }
        return isOver(at: now) && !waiting.isEmpty ? waiting.removeFirst() : nil
    }

    /// A refusal says more than silence, and of refusals the last is told.
    mutating func note(_ new: PortMappingFault) {
        switch (fault, new) {
        case (_, .noAnswer), (.refused, .malformed): break
        default: fault = new
        }
    }
}
