package import Primitives

/// Decides what becomes of a packet between two hosts: how long it takes, or that it is lost.
///
/// It carries nothing itself: the simulation asks for a delay and schedules the arrival in its own `EventQueue`, so
/// that datagrams and byte streams of any kind can share one network.
package struct VirtualNetwork: Sendable {
    /// What lies between the hosts.
    package struct Conditions: Hashable, Sendable {
        package var latency = LatencyModel.logNormal(median: .milliseconds(40), sigma: 0.5)
        /// How many of a thousand datagrams are lost.
        package var lossPerMille = 0

        package init(
            latency: LatencyModel = .logNormal(median: .milliseconds(40), sigma: 0.5),
            lossPerMille: Int = 0
        ) {
            self.latency = latency
            self.lossPerMille = lossPerMille
        }
    }

    package var conditions: Conditions
    private var random: SeededRandom
    /// Names the distances between hosts.
    private let seed: UInt64
    /// Hosts that neither send nor receive.
    private var unplugged: Set<IPAddress> = []

    package private(set) var datagramsCarried = 0
    package private(set) var datagramsLost = 0
    package private(set) var bytesCarried = 0

    package init(conditions: Conditions = Conditions(), seed: UInt64) {
        self.conditions = conditions
        self.seed = seed
        random = SeededRandom(seed: seed)
    }

    /// Cuts a host off, or connects it again.
    package mutating func setPlugged(_ isPlugged: Bool, _ address: IPAddress) {
        if isPlugged { unplugged.remove(address) } else { unplugged.insert(address) }
    }

    package func isPlugged(_ address: IPAddress) -> Bool { !unplugged.contains(address) }

    /// How long a datagram takes; `nil` when it never arrives.
    package mutating func delayOfDatagram(from: IPAddress, to: IPAddress, byteCount: Int) -> Duration? {
        let isLost = Int.random(in: 0..<1000, using: &random) < conditions.lossPerMille
        guard !isLost, isPlugged(from), isPlugged(to) else {
            datagramsLost += 1
            return nil
        }
        datagramsCarried += 1
        bytesCarried += byteCount
        return delay(from: from, to: to)
    }

    /// How long bytes of a stream take; a stream knows no loss, but one to an unplugged host gets no further (`nil`).
    package mutating func delayOfStream(from: IPAddress, to: IPAddress, byteCount: Int) -> Duration? {
        guard isPlugged(from), isPlugged(to) else { return nil }
        bytesCarried += byteCount
        return delay(from: from, to: to)
    }

    /// What two packets take on average, there and back; `nil` where that is not the pair's own.
    package func usualRoundTrip(between one: IPAddress, and other: IPAddress) -> Duration? {
        guard case .pairwise(let pairs) = conditions.latency else { return nil }
        return pairs.roundTrip(between: one, and: other, seed: seed)
    }

    private mutating func delay(from: IPAddress, to: IPAddress) -> Duration {
        conditions.latency.sample(from: from, to: to, seed: seed, using: &random)
    }
}
