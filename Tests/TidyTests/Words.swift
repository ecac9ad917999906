/// What the rules look for in a line of code.
enum Words {
    /// The identifiers of a line.
    static func identifiers(in line: Substring) -> [Substring] {
        line.split { !($0.isLetter || $0.isNumber || $0 == "_") }
    }

    static func hasUnsafe(_ line: Substring) -> Bool {
        guard line.utf8.count > 5, line.contains("nsafe") else { return false }
        return identifiers(in: line).contains { word in
            word.hasPrefix("unsafe") || word.hasPrefix("Unsafe") || word.hasPrefix("withUnsafe")
        }
    }

    /// `x!`, `f()!`, `a[0]!`, `try!`, `as!`, `Int!`: an exclamation mark right behind something, and no `!=`.
    static func hasForce(_ line: Substring) -> Bool {
        var previous: UInt8 = 32
        let bytes = Array(line.utf8)
        for (index, byte) in bytes.enumerated() {
            defer { previous = byte }
            guard byte == UInt8(ascii: "!"), index + 1 == bytes.count || bytes[index + 1] != UInt8(ascii: "=") else {
                continue
            }
            switch previous {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 48...57,
                UInt8(ascii: "_"), UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "\""), UInt8(ascii: "?"):
                return true
            default: continue
            }
        }
        return false
    }

    /// Names that say nothing about the thing.
    static func isEmptyName(_ name: some StringProtocol) -> Bool {
        ["Utils", "Utilities", "Helper", "Manager", "Common", "Misc"].contains { name.contains($0) }
    }

    /// The type that a line declares.
    static func declaredType(in line: Substring) -> Substring? {
        let words = identifiers(in: line)
        guard let keyword = words.firstIndex(where: { ["struct", "class", "enum", "actor", "protocol"].contains($0) })
        else { return nil }
        return words.dropFirst(keyword + 1).first
    }
}
