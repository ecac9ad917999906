/// The records of one direction: whose key they are sealed with, and how many there were.
struct RecordCounter: Hashable {
    /// Records under one key. The next key is made from it, and nobody finds the way back.
    static let recordsPerKey: UInt64 = 65_536

    let slot: KeyRoom.Slot
    private var count: UInt64 = 0

    init(_ slot: KeyRoom.Slot) { self.slot = slot }

    /// The number of the next record, whose key is in its place after this.
    mutating func next(renewing keys: inout KeyRoom, upTo limit: UInt64) throws(SecureFault) -> UInt64 {
        guard count < limit else { throw .expired }
        if count > 0, count.isMultiple(of: RecordCounter.recordsPerKey) { try keys.renew(slot) }
        defer { count += 1 }
        return count
    }
}
