extension RawSpan {
    /// The number of type `T` in network order at `offset`, or `nil` where it does not fit.
    ///
    /// Offsets may come from a remote: nothing here traps.
    @inlinable
    package func bigEndian<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at offset: Int) -> T? {
        let size = MemoryLayout<T>.size
        guard offset >= 0, byteCount >= size, offset <= byteCount &- size else { return nil }
        // Safe: the load lies inside the span, as checked on the line above.
        return T(bigEndian: unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: type))
    }

    /// The byte at `offset`, or `nil` outside the span.
    @inlinable
    package func byte(at offset: Int) -> UInt8? {
        guard offset >= 0, offset < byteCount else { return nil }
        // Safe: the load lies inside the span, as checked on the line above.
        return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    /// A copy of the bytes in `range`, or `nil` where the range leaves the span.
    package func copy(_ range: Range<Int>) -> [UInt8]? {
        guard range.lowerBound >= 0, range.upperBound <= byteCount else { return nil }
        return unsafe withUnsafeBytes { unsafe [UInt8]($0[range]) }
    }

    /// A copy of all bytes.
    package var copied: [UInt8] { unsafe withUnsafeBytes { unsafe [UInt8]($0) } }
}
