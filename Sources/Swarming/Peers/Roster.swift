/// Which slot belongs to which peer, in the order of handles.
///
/// A sorted array: two hundred peers are found in eight steps without hashing, once per block.
struct Roster {
    private(set) var handles: [PeerHandle] = []
    private(set) var slots: [Int] = []
    private var spareSlots: [Int] = []
    private var slotCount = 0

    var count: Int { handles.count }

    func slot(of handle: PeerHandle) -> Int? {
        let index = lowerBound(of: handle)
        return index < handles.count && handles[index] == handle ? slots[index] : nil
    }

    /// A slot for a new peer, or `nil` for one that is here already.
    mutating func add(_ handle: PeerHandle) -> Int? {
        let index = lowerBound(of: handle)
        guard index == handles.count || handles[index] != handle else { return nil }
        let slot: Int
        if let spare = spareSlots.popLast() {
            slot = spare
        } else {
            slot = slotCount
            slotCount += 1
        }
        handles.insert(handle, at: index)
        slots.insert(slot, at: index)
        return slot
    }

    mutating func remove(_ handle: PeerHandle) {
        let index = lowerBound(of: handle)
        guard index < handles.count, handles[index] == handle else { return }
        handles.remove(at: index)
        spareSlots.append(slots.remove(at: index))
    }

    private func lowerBound(of handle: PeerHandle) -> Int {
        var low = 0
        var high = handles.count
        while low < high {
            let middle = (low + high) / 2
            if handles[middle] < handle { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
