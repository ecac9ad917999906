import Primitives

/// How many nodes the network has, estimated from how near the nearest answers of our own lookups were.
///
/// Identifiers are spread evenly, so the k-th nearest of N nodes is about k/N of the space away from any target, and
/// that distance alone is what k answers say about N (it is sufficient for the maximum-likelihood estimate). One
/// lookup is 40 % off; the median of a few dozen is 8 % off, and half of them must lie before it does.
///
/// Whoever surrounds a key makes its lookup tell of a huge network. Lookups of targets that we drew ourselves cannot
/// be prepared for, so three in four of the measurements kept are theirs, however many keys are looked up.
struct NetworkSize: Hashable, Sendable {
    private struct Measurement: Hashable {
        let target: NodeID
        let spacing: UInt64
    }

    @SharedLimits private var limits: DHTLimits
    /// The latest last: of targets drawn at random, and of targets that somebody else may know.
    private var drawn: [Measurement] = []
    private var known: [Measurement] = []

    init(limits: SharedLimits) { _limits = limits }

    /// As after a while in a network of so many nodes: for simulations.
    init(limits shared: SharedLimits, believing count: Int) {
        let limits = shared.wrappedValue
        _limits = shared
        let spacing = UInt64.max / UInt64(clamping: max(1, count))
        drawn = (0..<limits.fewestMeasurements).map { index in
            Measurement(target: NodeID(UInt160(high: UInt64(index), middle: 0, low: 0)), spacing: spacing)
        }
    }

    /// Records what the lookup of a target found.
    ///
    /// - Parameters:
    ///   - closest: distances of the nearest that answered, nearest first.
    ///   - isDrawn: whether we drew the target, so that nobody could have prepared for it.
    mutating func measured(_ target: NodeID, closest: [UInt160], isDrawn: Bool) {
        // Fewer answers than k are a small network or a bad day, and say little in either case.
        guard closest.count >= limits.bucketSize, let farthest = closest.last else { return }
        // The median of the k-th distance is (k - 1/3)/N of the space: N times it follows the gamma distribution.
        let spacing = max(1, farthest.high / UInt64(3 * closest.count - 1) * 3)
        let measurement = Measurement(target: target, spacing: spacing)
        if isDrawn {
            NetworkSize.add(measurement, to: &drawn, atMost: limits.measurements * 3 / 4)
        } else {
            NetworkSize.add(measurement, to: &known, atMost: limits.measurements / 4)
        }
    }

    /// The mean distance between neighbours, in units of the space divided by 2^64; `nil` as long as too few lookups
    /// have told of it.
    var spacing: UInt64? {
        let all = (drawn + known).map(\.spacing).sorted()
        return all.count >= limits.fewestMeasurements ? all[all.count / 2] : nil
    }

    /// How many nodes there are, as far as they answer.
    var estimate: Int? { spacing.map { Int(clamping: UInt64.max / $0) } }

    /// A target counts once: the lookup that is repeated all the time is the one that an attacker would prepare for.
    private static func add(_ new: Measurement, to list: inout [Measurement], atMost count: Int) {
        list.removeAll { $0.target == new.target }
        if list.count >= count { list.removeFirst() }
        list.append(new)
    }
}
