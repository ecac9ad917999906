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

    package mutating func append(_ other: some Sequence<UInt8>) { bytes.append(contentsOf: other) }

    package mutating func append(_ span: RawSpan) {
        unsafe span.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }

    package mutating func append(utf8 text: String) { bytes.append(contentsOf: text.utf8) }

    @inlinable
    package mutating func bigEndian(_ value: some FixedWidthInteger) {
        var shift = value.bitWidth
        while shift > 0 {
            shift -= 8
            byte(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Takes the bytes and leaves the writer empty.
    package mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }
}
