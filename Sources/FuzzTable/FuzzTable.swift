import Cryptography
import Kademlia
import Primitives

/// Reads any bytes as the file of remembered nodes and as that of stored peers (hardening D16), as they are and with a
/// checksum that fits, since whoever can write the file can reckon.
///
/// What was read must be within the limits, and the same when it is written and read again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafeRawPointer?, _ count: Int) -> CInt {
    // Safe: libFuzzer hands over `count` readable bytes for the time of the call.
    let input = unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    for bytes in [input, input + SHA1.hash(input).bytes] {
        readTable(bytes)
        readPeers(bytes)
    }
    return 0
}

private func readTable(_ bytes: [UInt8]) {
    guard let file = try? TableFile(bytes.span.bytes) else { return }
    for family in AddressFamily.allCases {
        precondition(file.contacts.count { $0.endpoint.address.family == family } <= TableFile.mostContacts)
    }
    precondition((try? TableFile(file.encoded.span.bytes)) == file)
    var actions = DHTActionBuffer()
    var node = DHTNode(id: NodeID(UInt160(high: 1, middle: 2, low: 3)), seed: 1, now: .zero)
    node.start(bootstrap: false, remembered: file.contacts, at: .zero, into: &actions)
    // Remembered nodes are asked, never believed.
    precondition(node.contacts.isEmpty)
}

private func readPeers(_ bytes: [UInt8]) {
    var node = DHTNode(id: NodeID(UInt160(high: 1, middle: 2, low: 3)), seed: 1, now: .zero)
    try? node.restorePeers(bytes.span.bytes, writtenAgo: .seconds(1), at: .zero)
    precondition(node.storedInfoHashCount <= DHTLimits().infoHashes)
    let encoded = node.peerFile.encoded
    var again = DHTNode(id: NodeID(UInt160(high: 1, middle: 2, low: 3)), seed: 1, now: .zero)
    // Our own file can be read.
    precondition((try? again.restorePeers(encoded.span.bytes, writtenAgo: .zero, at: .zero)) != nil)
    precondition(again.storedInfoHashCount == node.storedInfoHashCount)
}
