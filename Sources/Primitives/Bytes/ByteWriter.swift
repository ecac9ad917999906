/// Bytes being written, in network order.
///
/// Keeps its storage across `removeAll()`, so a writer that is reused does not allocate.
package struct ByteWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package init(capacity: Int) { bytes.reserveCapacity(capacity) }

    package var count: Int { bytes.count }
    package var isEmpty: Bool { bytes.isEmpty }

    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    package mutating func byte(_ value: UInt8) { bytes.append(value) }

    package mutating func append(_ other: [UInt8]) { bytes.append(contentsOf: other) }
    package mutating func append(_ other: UnsafeBufferPointer<UInt8>) { unsafe bytes.append(contentsOf: other) }
    package mutating func append(_ other: ArraySlice<UInt8>) { bytes.append(contentsOf: other) }

    package mutating func append(_ span: RawSpan) {
        unsafe span.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }

    package mutating func append(utf8 text: String) { bytes.append(contentsOf: text.utf8) }

    // Not generic: `@inlinable` has no effect on members of a package type (unless the type is `@usableFromInline`), and a
    // generic one that is not specialised costs ten times as much.
    package mutating func bigEndian(_ value: UInt64) { append(integer: value.bigEndian) }
    package mutating func bigEndian(_ value: Int64) { append(integer: value.bigEndian) }
    package mutating func bigEndian(_ value: UInt32) { append(integer: value.bigEndian) }
    package mutating func bigEndian(_ value: UInt16) { append(integer: value.bigEndian) }

    private mutating func append(integer: some FixedWidthInteger) {
        // Safe: the bytes are copied before the integer ends.
        unsafe withUnsafeBytes(of: integer) { unsafe bytes.append(contentsOf: $0) }
    }

    /// Takes the bytes and leaves the writer empty.
    package mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }
}
