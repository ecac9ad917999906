import Primitives

/// All pieces under way, and the only place where block cells change.
struct OpenPieces {
    private static let none = UInt16.max

    private(set) var slots: [OpenPiece] = []
    private var spareSlots: [Int] = []
    private var slotOfPiece: [UInt16]
    private(set) var count = 0
    /// Pieces that wait for the disk worker.
    private(set) var checkingCount = 0
    /// Slots of pieces that have free blocks.
    private(set) var partials: [Int] = []
    /// Free blocks in all of them.
    private(set) var freeBlocks = 0

    init(pieceCount: Int) { slotOfPiece = [UInt16](repeating: OpenPieces.none, count: pieceCount) }

    func slot(ofPiece piece: Int) -> Int? {
        guard piece >= 0, piece < slotOfPiece.count, slotOfPiece[piece] != OpenPieces.none else { return nil }
        return Int(slotOfPiece[piece])
    }

    mutating func open(_ piece: Int, blockCount: Int, owner: Int, hasSingleSource: Bool, at now: Instant) -> Int {
        let slot: Int
        if let spare = spareSlots.popLast() {
            slot = spare
        } else {
            slot = slots.count
            slots.append(OpenPiece())
        }
        slots[slot].phase = .filling
        slots[slot].piece = piece
        slots[slot].cells.removeAll(keepingCapacity: true)
        slots[slot].cells.append(contentsOf: repeatElement(BlockCell(), count: blockCount))
        slots[slot].freeCount = blockCount
        slots[slot].arrivingCount = 0
        slots[slot].receivedCount = 0
        slots[slot].cursor = 0
        slots[slot].owner = UInt16(owner)
        slots[slot].openedAt = now
        slots[slot].hasSingleSource = hasSingleSource
        slots[slot].contributors.removeAll(keepingCapacity: true)
        slotOfPiece[piece] = UInt16(slot)
        count += 1
        freeBlocks += blockCount
        addPartial(slot)
        return slot
    }

    mutating func close(_ slot: Int) {
        setPhase(.closed, of: slot)
        slotOfPiece[slots[slot].piece] = OpenPieces.none
        spareSlots.append(slot)
        count -= 1
    }

    /// Leaves `filling`, which only `open` enters.
    mutating func setPhase(_ phase: OpenPiece.Phase, of slot: Int) {
        guard phase != .filling else { return }
        if slots[slot].phase == .filling { freeBlocks -= slots[slot].freeCount }
        if slots[slot].phase == .checking { checkingCount -= 1 }
        if phase == .checking { checkingCount += 1 }
        slots[slot].phase = phase
        removePartial(slot)
    }

    mutating func setOwner(_ owner: UInt16, of slot: Int) { slots[slot].owner = owner }

    /// Takes the next free block for a peer.
    mutating func take(in slot: Int, for peer: Int) -> Int? {
        guard slots[slot].freeCount > 0 else { return nil }
        var index = slots[slot].cursor
        let end = slots[slot].cells.count
        while index < end, slots[slot].cells[index].state != .free { index += 1 }
        guard index < end else { return nil }
        slots[slot].cells[index].state = .asked
        slots[slot].cells[index].first = UInt16(peer)
        slots[slot].cursor = index + 1
        slots[slot].freeCount -= 1
        freeBlocks -= 1
        if slots[slot].freeCount == 0 { removePartial(slot) }
        return index
    }

    /// Asks a second peer for a block.
    mutating func duplicate(_ index: Int, in slot: Int, for peer: Int) {
        slots[slot].cells[index].second = UInt16(peer)
    }

    /// A peer will not send the block: it is free again, or the second requester's alone.
    ///
    /// Returns whether the peer had been asked for it.
    mutating func release(_ index: Int, in slot: Int, by peer: Int) -> Bool {
        let cell = slots[slot].cells[index]
        guard cell.state == .asked || cell.state == .arriving else { return false }
        if cell.second == UInt16(peer) {
            slots[slot].cells[index].second = BlockCell.nobody
            return true
        }
        guard cell.first == UInt16(peer) else { return false }
        if cell.state == .arriving { slots[slot].arrivingCount -= 1 }
        if cell.second != BlockCell.nobody {
            slots[slot].cells[index] = BlockCell(state: .asked, first: cell.second)
        } else {
            free(index, in: slot)
        }
        return true
    }

    /// The payload begins to come in from `peer`, one of those that were asked.
    mutating func begin(_ index: Int, in slot: Int, from peer: Int) {
        let cell = slots[slot].cells[index]
        let other = cell.first == UInt16(peer) ? cell.second : cell.first
        slots[slot].cells[index] = BlockCell(state: .arriving, first: UInt16(peer), second: other)
        slots[slot].arrivingCount += 1
    }

    /// The payload is in the buffer. Returns the other peer that was asked.
    mutating func receive(_ index: Int, in slot: Int, from handle: PeerHandle, host: Endpoint) -> Int? {
        let second = slots[slot].cells[index].second
        slots[slot].arrivingCount -= 1
        slots[slot].receivedCount += 1
        slots[slot].cells[index] = BlockCell(state: .received, first: contributor(handle, host: host, in: slot))
        return second == BlockCell.nobody ? nil : Int(second)
    }

    /// Frees every block that came from a peer that lies.
    mutating func discardBlocks(from handle: PeerHandle, in slot: Int) {
        guard slots[slot].phase == .filling,
            let index = slots[slot].contributors.firstIndex(where: { $0.handle == handle })
        else { return }
        slots[slot].contributors[index].blockCount = 0
        for cell in slots[slot].cells.indices
        where slots[slot].cells[cell].state == .received && Int(slots[slot].cells[cell].first) == index {
            slots[slot].receivedCount -= 1
            free(cell, in: slot)
        }
    }

    private mutating func contributor(_ handle: PeerHandle, host: Endpoint, in slot: Int) -> UInt16 {
        if let index = slots[slot].contributors.firstIndex(where: { $0.handle == handle }) {
            slots[slot].contributors[index].blockCount += 1
            return UInt16(index)
        }
        slots[slot].contributors.append(OpenPiece.Contributor(handle: handle, host: host, blockCount: 1))
        return UInt16(slots[slot].contributors.count - 1)
    }

    private mutating func free(_ index: Int, in slot: Int) {
        slots[slot].cells[index] = BlockCell()
        slots[slot].cursor = min(slots[slot].cursor, index)
        slots[slot].freeCount += 1
        guard slots[slot].phase == .filling else { return }
        freeBlocks += 1
        addPartial(slot)
    }

    private mutating func addPartial(_ slot: Int) {
        guard slots[slot].partialIndex < 0 else { return }
        slots[slot].partialIndex = partials.count
        partials.append(slot)
    }

    private mutating func removePartial(_ slot: Int) {
        let index = slots[slot].partialIndex
        guard index >= 0, let last = partials.popLast() else { return }
        if last != slot {
            partials[index] = last
            slots[last].partialIndex = index
        }
        slots[slot].partialIndex = -1
    }
}
