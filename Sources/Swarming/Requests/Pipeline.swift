import Metainfo
import Primitives

/// How many requests one peer should have waiting.
///
///     growing (one more per block: doubles each round trip) ── the rate stopped growing ──▶ steady (rate x time)
///
/// Steady asks for what arrives in two round trips and half a second more: always at least double of what the pipe was
/// measured to hold, so a target that is too small corrects itself. The round trip is measured when nothing else was
/// waiting at the peer, so that our own queue is not counted into it and does not grow on itself.
struct Pipeline {
    private static let margin = 0.5
    private static let floor = 16

    private(set) var target: Int
    private(set) var isGrowing = true
    /// Seconds from a request into an idle pipe to the first byte of its answer.
    private(set) var roundTrip: Double?
    /// While the peer owed us something; the time it had nothing to do says nothing about it.
    private(set) var rate = RateMeter()
    var ceiling: Int {
        didSet { target = min(target, ceiling) }
    }
    private var probeSentAt: Instant?
    private var rateBefore = 0.0

    init(target: Int, ceiling: Int) {
        self.target = min(target, ceiling)
        self.ceiling = ceiling
    }

    /// Starts over after the peer choked us or went silent.
    mutating func restarted(target: Int) {
        self.target = min(target, ceiling)
        isGrowing = true
        rateBefore = 0
        probeSentAt = nil
    }

    /// Requests go out into an empty pipe.
    mutating func askedWhileIdle(at now: Instant) { probeSentAt = now }

    mutating func answered(at now: Instant) {
        guard let sent = probeSentAt else { return }
        probeSentAt = nil
        let sample = min(max(0, (now - sent).inSeconds), 10)
        roundTrip = roundTrip.map { $0 + (sample - $0) / 8 } ?? sample
    }

    mutating func received(_ bytes: Int) {
        rate.add(bytes)
        if isGrowing, target < ceiling { target += 1 }
    }

    /// About a second went by. `wasOwed`: the peer had something to send.
    mutating func sampled(over seconds: Double, wasOwed: Bool) {
        guard wasOwed else { return }
        rate.sample(over: seconds)
        guard rate.isKnown else { return }
        if isGrowing {
            isGrowing = rate.bytesPerSecond > rateBefore * 1.1
            rateBefore = rate.bytesPerSecond
        }
        guard !isGrowing else { return }
        let seconds = 2 * (roundTrip ?? 0.1) + Pipeline.margin
        let blocks = min(rate.bytesPerSecond * seconds / Double(PieceLayout.blockLength), 1e6)
        target = min(max(Pipeline.floor, Int(blocks)), ceiling)
    }

    /// Seconds until `count` more blocks would be here, for comparing peers; an unknown rate counts as slow.
    func time(for count: Int) -> Double {
        let blocks = rate.isKnown ? rate.bytesPerSecond / Double(PieceLayout.blockLength) : 16
        return Double(count) / max(blocks, 0.01)
    }
}
