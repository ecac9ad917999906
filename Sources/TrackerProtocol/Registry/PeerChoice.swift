import Primitives

/// Chooses some rows of a range so that each set of them is as likely as any other, in a time that the number of chosen
/// rows gives alone (Floyd's sampling; Bentley, "A sample of brilliance", 1987).
///
/// One choice is used for all answers: it keeps its memory.
struct PeerChoice {
    /// The chosen rows, in no order that means anything.
    private(set) var positions: [UInt16] = []
    /// A bit for each row of the largest swarm; only those of `positions` are ever set, so only they are cleared.
    private var isChosen: [UInt64]

    init(limits: RegistryLimits) {
        positions.reserveCapacity(limits.mostWanted)
        isChosen = [UInt64](repeating: 0, count: limits.peersPerSwarm / 64 + 1)
    }

    /// - Parameters:
    ///   - own: the row of the peer that asks, which is never chosen.
    ///   - wanted: so many, or all where there are fewer.
    mutating func choose(
        _ wanted: Int,
        of range: Range<Int>,
        except own: Int?,
        using random: inout SeededRandom
    ) {
        positions.removeAll(keepingCapacity: true)
        let gap = own.flatMap { range.contains($0) ? $0 : nil } ?? range.upperBound
        let count = range.count - (gap < range.upperBound ? 1 : 0)
        guard wanted > 0, count > 0 else { return }
        guard count > wanted else {
            for position in range where position != gap { positions.append(UInt16(truncatingIfNeeded: position)) }
            return
        }
        for last in (count - wanted)..<count {
            var number = random.below(last + 1)
            if contains(number) { number = last }
            isChosen[number >> 6] |= 1 << UInt64(number & 63)
            positions.append(UInt16(truncatingIfNeeded: number))
        }
        for index in positions.indices {
            let number = Int(positions[index])
            isChosen[number >> 6] = 0
            let position = range.lowerBound + number
            positions[index] = UInt16(truncatingIfNeeded: position < gap ? position : position + 1)
        }
    }

    private func contains(_ number: Int) -> Bool { isChosen[number >> 6] & 1 << UInt64(number & 63) != 0 }
}

extension SeededRandom {
    /// A number below `bound`, of at most 16 bits: by a multiplication, which prefers none by more than 2^-48.
    mutating func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(truncatingIfNeeded: bound)).high)
    }
}
