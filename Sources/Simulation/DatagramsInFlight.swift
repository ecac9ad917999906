import Primitives

/// The datagrams between hosts, in buffers that are used again and again: a simulation carries millions.
struct DatagramsInFlight {
    /// Where a datagram lies until it arrives.
    struct Slot: Hashable, Sendable {
        fileprivate let index: Int32
    }

    private struct Datagram {
        var bytes: [UInt8] = []
        var sender = Endpoint(.anyV4, 0)
    }

    private var datagrams: [Datagram] = []
    private var free: [Slot] = []

    mutating func add(_ bytes: ArraySlice<UInt8>, from sender: Endpoint) -> Slot {
        let slot = free.popLast() ?? newSlot()
        let index = Int(slot.index)
        datagrams[index].bytes.removeAll(keepingCapacity: true)
        datagrams[index].bytes.append(contentsOf: bytes)
        datagrams[index].sender = sender
        return slot
    }

    /// Takes a datagram out; its bytes are to be read before the next one is added.
    mutating func take(_ slot: Slot) -> (bytes: [UInt8], sender: Endpoint) {
        free.append(slot)
        let datagram = datagrams[Int(slot.index)]
        return (datagram.bytes, datagram.sender)
    }

    private mutating func newSlot() -> Slot {
        datagrams.append(Datagram())
        return Slot(index: Int32(datagrams.count - 1))
    }
}
