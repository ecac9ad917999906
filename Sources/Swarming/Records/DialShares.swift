import Primitives

/// Why each peer was dialled that is being dialled or connected, and whose turn it is: that of records or of chance.
///
/// Counted are connections that stand, not dials: a peer that a record brought and that proves useless holds one of the
/// slots of records, and none that is left to chance.
struct DialShares {
    private var reasons: [Endpoint: DialReason] = [:]
    private var recordCount = 0
    private var chanceCount = 0
    private let recordsOfTen: Int

    init(recordsOfTen: Int) { self.recordsOfTen = recordsOfTen }

    /// Whether one more peer chosen by its record would leave chance its share; records come first.
    var isTurnOfRecords: Bool { recordCount * (10 - recordsOfTen) <= chanceCount * recordsOfTen }

    func reason(of endpoint: Endpoint) -> DialReason? { reasons[endpoint] }

    mutating func began(_ endpoint: Endpoint, _ reason: DialReason) {
        ended(endpoint)
        reasons[endpoint] = reason
        count(reason, 1)
    }

    mutating func ended(_ endpoint: Endpoint) {
        if let reason = reasons.removeValue(forKey: endpoint) { count(reason, -1) }
    }

    private mutating func count(_ reason: DialReason, _ change: Int) {
        if reason.isRecord { recordCount += change }
        if reason == .chance { chanceCount += change }
    }
}
