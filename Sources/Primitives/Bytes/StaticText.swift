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

extension ByteWriter {
    /// Appends a literal's bytes without an array in between.
    package mutating func append(_ text: StaticString) {
        // Safe: the buffer is read before it ends.
        text.withUTF8Buffer { append(unsafe $0) }
    }
}

extension StaticString {
    /// The literal's bytes.
    package var bytes: [UInt8] {
        // Safe: the buffer is copied before it ends.
        withUTF8Buffer { unsafe [UInt8]($0) }
    }
}
