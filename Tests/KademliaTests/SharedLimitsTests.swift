import Testing

@testable import Kademlia

@Suite("Limits that the parts of a node share")
struct SharedLimitsTests {
    @Test("each part holds a reference, so a node and a lookup are small enough to be moved for every datagram")
    func sizes() {
        #expect(MemoryLayout<SharedLimits>.size == 8)
        #expect(MemoryLayout<DHTNode>.size <= 1536)
        #expect(MemoryLayout<Lookup>.size <= 1024)
    }

    @Test("they are those that they were made of, and equal to others of the same values")
    func values() {
        var limits = DHTLimits()
        limits.bucketSize = 20
        let shared = SharedLimits(limits)
        #expect(shared.wrappedValue == limits)
        #expect(shared == SharedLimits(limits))
        #expect(shared != SharedLimits())
    }
}
