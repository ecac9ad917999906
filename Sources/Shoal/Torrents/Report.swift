import Primitives

/// A rate over the last few seconds: an exponential average, fed with a running total.
struct RateMeter {
    private(set) var bytesPerSecond = 0.0
    private var lastTotal: Int64 = 0
    private var lastAt: Instant?

    /// Two seconds to forget two thirds: steady enough to read, quick enough to believe.
    private static let timeConstant = 2.0

    mutating func update(total: Int64, at now: Instant) {
        guard let last = lastAt else {
            lastAt = now
            lastTotal = total
            return
        }
        let seconds = (now - last).inSeconds
        guard seconds >= 0.05 else { return }
        let sample = Double(total - lastTotal) / seconds
        // The first sample is the rate, not a step on the way up from nothing.
        let weight = bytesPerSecond == 0 ? 1 : min(1, seconds / RateMeter.timeConstant)
        bytesPerSecond += (sample - bytesPerSecond) * weight
        lastTotal = total
        lastAt = now
    }
}

/// What a torrent tells its owner about itself.
struct Report {
    var downloaded: Int64 = 0
    var uploaded: Int64 = 0
    var down = RateMeter()
    var up = RateMeter()
    /// Peers that were banned, for the sentence at the end; the first few are enough.
    var banned: [String] = []
    /// Peers that no session came of, and why: an address counts once.
    private(set) var refused: [(address: String, cause: CloseCause)] = []
    /// When something useful last happened: refused data does not count (cli.md, `--timeout`).
    private(set) var lastMovement: Instant
    var nextReadNotice = Instant.zero
    /// The progress that the owner heard last, and when.
    var told: Progress?
    var toldAt = Instant.zero
    var isDone = false
    /// The local problem that was told last.
    var pausedBy: ShoalError?
    /// How often since the last piece was written.
    var pauses = 0
    /// The most bytes that were held at a time.
    private var mostHeld: Int64 = 0

    private static let bannedLimit = 8
    private static let refusedLimit = 8

    init(at now: Instant) { lastMovement = now }

    mutating func received(_ count: Int) { downloaded += Int64(count) }
    mutating func uploaded(_ count: Int) { uploaded += Int64(count) }
    /// So many bytes are verified or wait to be: more than ever before is movement, what a liar sends again and again is not.
    mutating func held(_ byteCount: Int64, at now: Instant) {
        guard byteCount > mostHeld else { return }
        mostHeld = byteCount
        moved(at: now)
    }

    mutating func moved(at now: Instant) { lastMovement = now }

    mutating func refused(_ endpoint: Endpoint, because cause: CloseCause) {
        let address = endpoint.description
        refused.removeAll { $0.address == address }
        refused.append((address, cause))
        if refused.count > Report.refusedLimit { refused.removeFirst() }
    }

    mutating func accepted(_ endpoint: Endpoint) { refused.removeAll { $0.address == endpoint.description } }

    mutating func banned(_ endpoint: Endpoint) {
        if banned.count < Report.bannedLimit { banned.append(endpoint.description) }
    }
}
