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
        if value < 0 { writer.byte(UInt8(ascii: "-")) }
        digits(UInt64(truncatingIfNeeded: value.magnitude))
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
        #if DEBUG
            checkOrder(of: text.bytes)
        #endif
        length(text.utf8CodeUnitCount)
        writer.append(text)
    }

    package mutating func key(bytes: [UInt8]) {
        #if DEBUG
            checkOrder(of: bytes)
        #endif
        string(bytes)
    }

    #if DEBUG
        private mutating func checkOrder(of key: [UInt8]) {
            guard let last = lastKeys.last.flatMap({ $0 }) else { return }
            assert(last.isEmpty || last.lexicographicallyPrecedes(key), "bencode keys must ascend")
            lastKeys[lastKeys.count - 1] = key
        }
    #endif

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
        digits(UInt64(truncatingIfNeeded: count))
        writer.byte(UInt8(ascii: ":"))
    }

    private mutating func digits(_ value: UInt64) {
        var unit: UInt64 = 1
        while value / unit >= 10 { unit *= 10 }
        while unit > 0 {
            writer.byte(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / unit % 10))
            unit /= 10
        }
    }
}
