import Kademlia
import Primitives

/// The identifiers of BEP 5's examples.
let querier = "abcdefghij0123456789"
let responder = "mnopqrstuvwxyz123456"

extension NodeID {
    /// An identifier from 20 characters.
    init(text: String) { self = NodeID(Array(text.utf8)) ?? NodeID(.zero) }

    /// An identifier whose first two bytes are given, the rest zero but for the last.
    init(_ first: UInt8, _ second: UInt8 = 0, last: UInt32 = 1) {
        self.init(UInt160(high: UInt64(first) << 56 | UInt64(second) << 48, middle: 0, low: last))
    }
}

extension Endpoint {
    /// An endpoint from text that the test's author wrote.
    static func at(_ text: String) -> Endpoint { Endpoint(text) ?? Endpoint(.anyV4, 0) }
}

/// Bytes as they go over the wire, written as text; bytes beyond ASCII by scalars up to U+00FF.
func wire(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }

/// The same, the other way.
func text(_ bytes: some Sequence<UInt8>) -> String {
    var text = ""
    for byte in bytes { text.unicodeScalars.append(Unicode.Scalar(byte)) }
    return text
}

extension Identifier {
    /// The 20 bytes, as `wire` reads them.
    var wireText: String { text(bytes) }
}

extension Endpoint {
    /// The compact form, as `wire` reads it.
    var wireText: String {
        var writer = ByteWriter()
        writeCompact(to: &writer)
        return text(writer.bytes)
    }
}

extension Contact {
    var wireText: String { id.wireText + endpoint.wireText }
}
