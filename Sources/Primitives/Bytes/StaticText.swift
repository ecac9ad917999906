extension RawSpan {
    /// Whether the bytes in `range` are exactly those of a literal; `false` where the range leaves the span.
    ///
    /// Compares bytes, because Swift's `==` takes different bytes for equal text.
    package func matches(_ range: Range<Int>, _ text: StaticString) -> Bool {
        guard text.hasPointerRepresentation, range.count == text.utf8CodeUnitCount else { return false }
        for index in 0..<range.count {
            // Safe: the literal has `range.count` bytes, as checked above.
            let expected = unsafe text.utf8Start[index]
            guard byte(at: range.lowerBound &+ index) == expected else { return false }
        }
        return true
    }
}

extension RawSpan {
    /// Whether the bytes from `offset` on begin with those of a literal.
    ///
    /// Inlined it becomes a few comparisons of words, for the literal's bytes are known to the compiler.
    @inlinable
    @inline(__always)
    package func matches(at offset: Int, _ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard offset >= 0, count <= byteCount, offset <= byteCount &- count else { return false }
        // Safe: the literal has `count` bytes, and so many lie inside the span, as checked on the line above.
        return unsafe withUnsafeBytes { bytes in
            var index = 0
            while index &+ 8 <= count {
                let mine = unsafe bytes.loadUnaligned(fromByteOffset: offset &+ index, as: UInt64.self)
                let its = unsafe UnsafeRawPointer(text.utf8Start).loadUnaligned(fromByteOffset: index, as: UInt64.self)
                if mine != its { return false }
                index &+= 8
            }
            while index < count {
                if unsafe bytes[offset &+ index] != text.utf8Start[index] { return false }
                index &+= 1
            }
            return true
        }
    }
}

extension ByteWriter {
    /// Appends a literal's bytes without an array in between.
    @inlinable
    package mutating func append(_ text: StaticString) {
        append(atMost: text.utf8CodeUnitCount) { $0.append(text) }
    }
}

extension StaticString {
    /// The literal's bytes.
    package var bytes: [UInt8] {
        // Safe: the buffer is copied before it ends.
        withUTF8Buffer { unsafe [UInt8]($0) }
    }
}
