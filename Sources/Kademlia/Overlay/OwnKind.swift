import Primitives

/// What a node knows and holds of its own kind, in a place of its own in memory: a node is moved for every datagram, and
/// hardly any datagram is about this.
///
/// Nobody else ever has it, for a node cannot be copied.
final class OwnKind {
    var overlay: Overlay
    var proving: Proving
    var records: RecordStore
    var peerQuestions: PeerQuestions
    var wallClock: WallClock?

    init(id: NodeID, limits shared: SharedLimits, now: Instant, using secrets: inout KeyedRandom) {
        overlay = Overlay(own: id, limits: shared, now: now)
        proving = Proving(limits: shared, now: now)
        records = RecordStore(limits: shared, now: now, using: &secrets)
        peerQuestions = PeerQuestions(limits: shared.wrappedValue.records, now: now)
    }
}

extension DHTNode {
    /// Whether it takes part: one without a key can prove nothing, and is as good as a mainline node.
    var isOfOurKind: Bool { identity.key != nil }
}
