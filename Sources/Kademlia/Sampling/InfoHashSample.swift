import Primitives

/// The info-hashes that we show to whoever asks for a sample (BEP 51).
///
/// While there are more than fit into a reply, the choice stays the same for a while: asking again gains nobody more,
/// so nobody has a reason to.
struct InfoHashSample: Sendable {
    @SharedLimits private var limits: DHTLimits
    private(set) var infoHashes: [InfoHash] = []
    private var chosenAt: Instant?

    init(limits: SharedLimits) { _limits = limits }

    /// Seconds until another question can bring anything new.
    func interval(at now: Instant) -> Int64 {
        guard let chosenAt else { return Int64(limits.sampleInterval.components.seconds) }
        return max(0, (chosenAt + limits.sampleInterval - now).components.seconds)
    }

    /// Chooses anew when the choice is old, or when all there are fit.
    mutating func refresh(from store: PeerStore, at now: Instant, using random: inout some RandomNumberGenerator) {
        let fitsAll = store.infoHashCount <= limits.samplesPerReply
        if !fitsAll, let chosenAt, now - chosenAt < limits.sampleInterval { return }
        chosenAt = fitsAll ? nil : now
        infoHashes.removeAll(keepingCapacity: true)
        // Reservoir sampling: one pass, and the order of the store means nothing.
        for (seen, infoHash) in store.infoHashes.enumerated() {
            if infoHashes.count < limits.samplesPerReply {
                infoHashes.append(infoHash)
            } else {
                let place = Int.random(in: 0...seen, using: &random)
                if place < infoHashes.count { infoHashes[place] = infoHash }
            }
        }
    }
}
