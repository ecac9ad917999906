/// Writes numbers in network order and texts into room of a fixed size, which `ByteWriter.append(atMost:)` lends.
///
/// Writing past its end is an error of the program, which asked for too little room, and ends it.
@usableFromInline
package struct RoomWriter: ~Copyable {
    @usableFromInline let room: UnsafeMutableRawBufferPointer
    /// Bytes written so far.
    @usableFromInline package internal(set) var count: Int

    @inlinable
    init(_ room: UnsafeMutableRawBufferPointer, count: Int) {
        self.room = room
        self.count = count
    }

    @inlinable
    package mutating func bigEndian(_ value: UInt64) { store(value.bigEndian) }
    @inlinable
    package mutating func bigEndian(_ value: UInt32) { store(value.bigEndian) }
    @inlinable
    package mutating func bigEndian(_ value: UInt16) { store(value.bigEndian) }
    @inlinable
    package mutating func byte(_ value: UInt8) { store(value) }

    @inlinable
    package mutating func append(_ text: StaticString) {
        // Safe: a literal has as many bytes as it says.
        unsafe append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inlinable
    package mutating func append(_ span: RawSpan) {
        // Safe: the bytes are copied before the closure ends.
        unsafe span.withUnsafeBytes { unsafe append($0) }
    }

    /// A number that is not negative, in decimal digits.
    @inlinable
    package mutating func decimal(_ number: Int) {
        var divisor = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            byte(UInt8(truncatingIfNeeded: 48 + number / divisor % 10))
            divisor /= 10
        }
    }

    @inlinable
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= room.count - count, "more is written than there is room for")
        // Safe: the bytes fit, as checked on the line above.
        unsafe UnsafeMutableRawBufferPointer(rebasing: room[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    @inlinable
    mutating func store<T: BitwiseCopyable>(_ value: T) {
        precondition(MemoryLayout<T>.size <= room.count - count, "more is written than there is room for")
        // Safe: the value fits, as checked on the line above.
        unsafe room.storeBytes(of: value, toByteOffset: count, as: T.self)
        count += MemoryLayout<T>.size
    }
}
