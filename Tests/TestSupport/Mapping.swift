import Glibc

/// A stretch of this process's memory, as `/proc/self/smaps` describes it (proc(5)).
package struct Mapping {
    package let range: Range<UInt>
    /// `rw-p`
    package let permissions: String
    /// Two letters each: `dd` is left out of core dumps, `lo` is locked.
    package private(set) var flags: Set<String> = []

    package var bytes: Int { range.count }

    /// All of them, in the order of their addresses.
    package static func all() -> [Mapping] {
        guard let file = fopen("/proc/self/smaps", "re") else { return [] }
        defer { fclose(file) }
        var mappings: [Mapping] = []
        var line = [CChar](repeating: 0, count: 8192)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
            if let mapping = Mapping(words) {
                mappings.append(mapping)
            } else if words.first == "VmFlags:", !mappings.isEmpty {
                mappings[mappings.count - 1].flags = Set(words.dropFirst())
            }
        }
        return mappings
    }

    /// Reads `7f12a000-7f12b000 r--p ...`; `nil` for the other lines.
    private init?(_ words: [String]) {
        let bounds = words.first?.split(separator: "-").compactMap { UInt($0, radix: 16) } ?? []
        guard words.count >= 5, bounds.count == 2, bounds[0] < bounds[1] else { return nil }
        range = bounds[0]..<bounds[1]
        permissions = words[1]
    }
}
