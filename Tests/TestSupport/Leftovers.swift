import Glibc

/// Looks for secrets in all memory of this process that can be written to, but for what is left out of core dumps:
/// there they belong.
package enum Leftovers {
    /// Whether the first eight bytes of a key stand somewhere.
    ///
    /// Memory is read as a file, because other tests give theirs back meanwhile.
    ///
    /// - Parameter key: one that `canFind` is true of.
    /// - Returns: `nil` where memory cannot be read.
    package static func has(_ key: RawSpan) -> Bool? {
        let file = open("/proc/self/mem", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        let own = UInt(bitPattern: buffer.baseAddress)..<UInt(bitPattern: buffer.baseAddress) + UInt(buffer.count)
        for mapping in Mapping.all() where mapping.permissions.hasPrefix("rw") && !mapping.flags.contains("dd") {
            // The buffer itself may lie in the middle of one.
            if has(key, in: mapping.range.clamped(to: 0..<own.lowerBound), file, buffer) { return true }
            if has(key, in: mapping.range.clamped(to: own.upperBound..<(.max)), file, buffer) { return true }
        }
        return false
    }

    private static func has(
        _ key: RawSpan,
        in range: Range<UInt>,
        _ file: Int32,
        _ buffer: UnsafeMutableRawBufferPointer
    ) -> Bool {
        var start = range.lowerBound
        while start < range.upperBound {
            let length = min(UInt(buffer.count), range.upperBound - start)
            let read = pread(file, buffer.baseAddress, Int(length), off_t(start))
            guard read > 0 else { break }
            if contains(key.extracting(first: 8), buffer, read) { return true }
            // What lies across the end is met again.
            start += read > 7 && UInt(read) < range.upperBound - start ? UInt(read) - 7 : UInt(read)
        }
        return false
    }

    /// Whether eight bytes stand in the first `count` of the buffer. They stay where they are: a copy would be found.
    private static func contains(_ needle: RawSpan, _ buffer: UnsafeMutableRawBufferPointer, _ count: Int) -> Bool {
        needle.withUnsafeBytes { needle in
            guard let start = buffer.baseAddress, let first = needle.baseAddress else { return false }
            var offset = 0
            while let found = memchr(start + offset, Int32(needle[0]), count - offset) {
                offset = UnsafeRawPointer(found) - UnsafeRawPointer(start)
                guard offset <= count - 8 else { return false }
                if memcmp(found, first, 8) == 0 { return true }
                offset += 1
            }
            return false
        }
    }

    /// Whether a key can be looked for: it does not begin with a byte that memory is full of.
    package static func canFind(_ key: RawSpan) -> Bool {
        key.withUnsafeBytes { (1...254).contains($0[0]) }
    }
}
