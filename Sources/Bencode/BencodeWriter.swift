package import Primitives

/// Writes bencode (BEP 3) as it has to be: keys ascending as bytes, numbers and lengths without leading zeros.
///
///     var writer = BencodeWriter()
///     writer.dictionary {
///         $0.key("q")
///         $0.string("ping")
///     }
///
/// A key out of order is our bug; debug builds stop there.
package struct BencodeWriter: Sendable {
    private var writer: ByteWriter

    #if DEBUG
        /// The last key of every open dictionary, and `nil` for an open list.
        private var lastKeys: [[UInt8]?] = []
    #endif

    package init() { writer = ByteWriter() }

    package init(capacity: Int) { writer = ByteWriter(capacity: capacity) }

    package mutating func integer(_ value: some FixedWidthInteger) {
        writer.byte(UInt8(ascii: "i"))
        writer.append(utf8: String(value))
        writer.byte(UInt8(ascii: "e"))
    }

    package mutating func string(_ text: String) {
        length(text.utf8.count)
        writer.append(utf8: text)
    }

    package mutating func string(_ bytes: [UInt8]) {
        length(bytes.count)
        writer.append(bytes)
    }

    package mutating func string(_ bytes: RawSpan) {
        length(bytes.byteCount)
        writer.append(bytes)
    }

    package mutating func string(_ identifier: some Identifier) {
        length(UInt160.byteCount)
        identifier.value.write(to: &writer)
    }

    /// Writes a value that is bencode already.
    package mutating func encoded(_ bytes: RawSpan) { writer.append(bytes) }

    package mutating func key(_ text: StaticString) {
        key(bytes: text.bytes)
    }

    package mutating func key(bytes: [UInt8]) {
        #if DEBUG
            if let last = lastKeys.last.flatMap({ $0 }) {
                assert(last.isEmpty || last.lexicographicallyPrecedes(bytes), "bencode keys must ascend")
                lastKeys[lastKeys.count - 1] = bytes
            }
        #endif
        string(bytes)
    }

    package mutating func dictionary<Failure: Error>(
        _ body: (inout BencodeWriter) throws(Failure) -> Void
    ) throws(Failure) {
        beginDictionary()
        try body(&self)
        end()
    }

    package mutating func list<Failure: Error>(
        _ body: (inout BencodeWriter) throws(Failure) -> Void
    ) throws(Failure) {
        beginList()
        try body(&self)
        end()
    }

    package mutating func beginDictionary() {
        #if DEBUG
            lastKeys.append([])
        #endif
        writer.byte(UInt8(ascii: "d"))
    }

    package mutating func beginList() {
        #if DEBUG
            lastKeys.append(nil)
        #endif
        writer.byte(UInt8(ascii: "l"))
    }

    /// Ends the innermost list or dictionary.
    package mutating func end() {
        #if DEBUG
            assert(!lastKeys.isEmpty, "nothing to end")
            lastKeys.removeLast()
        #endif
        writer.byte(UInt8(ascii: "e"))
    }

    package var bytes: [UInt8] { writer.bytes }
    package var count: Int { writer.count }

    /// Takes the bytes and leaves the writer empty.
    package mutating func take() -> [UInt8] { writer.take() }

    /// Forgets the bytes but keeps their storage.
    package mutating func removeAll() { writer.removeAll() }

    private mutating func length(_ count: Int) {
        writer.append(utf8: String(count))
        writer.byte(UInt8(ascii: ":"))
    }
}
