import Primitives

/// The part of the key space around a target in which the twenty nodes nearest to it are to be expected (hardening
/// D15).
///
/// It is cut into twenty shells, each as wide as the mean distance between neighbours: an honest network has about one
/// node in each. Nearness cannot be had for nothing, but *being nearest* can: eight hosts suffice. So the region
/// follows from how many nodes there are, not from who is nearest, and no shell counts for more than another.
///
/// Storing with the whole region, so that a reader meets honest nodes however many Sybils sit beside the key, is what
/// Sridhar et al. propose for IPFS ("Content Censorship in the InterPlanetary File System", NDSS 2024).
struct Region: Hashable, Sendable {
    /// Twenty: with half of all nodes hostile and the other half asleep at the next look, five are left.
    static let shellCount = 20

    let target: NodeID
    /// The mean distance between neighbours, in units of the space divided by 2^64; at least 1.
    let spacing: UInt64

    init(around target: NodeID, spacing: UInt64) {
        self.target = target
        self.spacing = max(1, spacing)
    }

    /// The shell that a node at this distance is in, from 0; `nil` outside of the region.
    func shell(at distance: UInt160) -> Int? {
        let shell = distance.high / spacing
        return shell < Region.shellCount ? Int(shell) : nil
    }

    /// Whether eight nodes so near to the target (the farthest of them at `distance`) are too many to be there by
    /// chance: whether they share `bits` more bits with it than is to be expected.
    func isSurrounded(eighthAt distance: UInt160, bits: Int) -> Bool { distance.high / 8 < spacing >> UInt64(bits) }

    /// Places all over the region. The eight nodes nearest to each are about what lies between it and the next.
    ///
    /// A lookup of the target learns of the nodes nearest to the target and of nobody behind them; what it asks about
    /// here lies away from where Sybils gather.
    var places: [NodeID] {
        // Blocks of a power of two are what the XOR metric keeps together: three to six nodes each.
        let (six, overflows) = spacing.multipliedReportingOverflow(by: 6)
        let bits = overflows ? 63 : UInt64.bitWidth - 1 - six.leadingZeroBitCount
        let block: UInt64 = 1 << UInt64(bits)
        return (0..<Region.shellCount).compactMap { index in
            let (start, overflows) = block.multipliedReportingOverflow(by: UInt64(index))
            guard !overflows, start / spacing < Region.shellCount else { return nil }
            return NodeID(target.value ^ UInt160(high: start | block >> 1, middle: 0, low: 0))
        }
    }
}
