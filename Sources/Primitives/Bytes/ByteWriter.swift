/// Bytes being written, in network order.
///
/// Keeps its storage across `removeAll()`, so a writer that is reused does not allocate.
///
/// `@usableFromInline`, as other small types of this target: without it `@inlinable` has no effect on the members of a
/// package type, and a number written by a call costs three times as much.
@usableFromInline
package struct ByteWriter: Sendable {
    @usableFromInline package internal(set) var bytes: [UInt8] = []

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

    @inlinable
    package mutating func bigEndian(_ value: UInt64) { append(atMost: 8) { $0.bigEndian(value) } }
    @inlinable
    package mutating func bigEndian(_ value: Int64) { bigEndian(UInt64(bitPattern: value)) }
    @inlinable
    package mutating func bigEndian(_ value: UInt32) { append(atMost: 4) { $0.bigEndian(value) } }
    @inlinable
    package mutating func bigEndian(_ value: UInt16) { append(atMost: 2) { $0.bigEndian(value) } }

    /// Appends a number that is not negative, in decimal digits.
    package mutating func decimal(_ number: Int) { append(atMost: 20) { $0.decimal(number) } }

    /// Makes room for `count` bytes once and lets `write` fill some of it: for what has many small parts.
    @inlinable
    package mutating func append(atMost count: Int, _ write: (inout RoomWriter) -> Void) {
        bytes.append(addingCapacity: count) { span in
            // Safe: the room ends before the closure does, and says how many of its bytes were written.
            unsafe span.withUnsafeMutableBufferPointer { buffer, written in
                var room = unsafe RoomWriter(UnsafeMutableRawBufferPointer(buffer), count: written)
                write(&room)
                written = room.count
            }
        }
    }

    /// Takes the bytes and leaves the writer empty.
    package mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }
}
