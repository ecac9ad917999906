/// One Swift file: its text, and its code with comments and the insides of strings blanked out.
struct SourceFile: Sendable {
    /// From the root of the repository: `Sources/Kademlia/Node.swift`.
    let path: String
    let lines: [Substring]
    /// As many lines as `lines`.
    let code: [Substring]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let blanked = CodeBlanker.blanked(Array(text.utf8))
        code = String(decoding: blanked, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The folder below `Sources` or `Tests`.
    var target: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }

    /// Without folders and extension.
    var name: String { path.split(separator: "/").last?.split(separator: ".").first.map(String.init) ?? "" }

    /// Modules that the file imports, with the line of each.
    var imports: [(module: String, line: Int)] {
        code.enumerated().compactMap { index, line in
            let words = line.split(separator: " ")
            guard let position = words.firstIndex(of: "import"), position + 1 < words.count,
                words[..<position].allSatisfy({ $0.hasPrefix("@") || SourceFile.accessLevels.contains($0) })
            else { return nil }
            // `import struct Module.Type`
            guard let last = words.last, let module = last.split(separator: ".").first else { return nil }
            return (String(module), index + 1)
        }
    }

    private static let accessLevels: Set<Substring> = ["package", "public", "internal", "fileprivate", "private"]

    /// Places of lines whose code has `isWrong`, as `path:line`.
    func places(where isWrong: (Substring) -> Bool) -> [String] {
        code.enumerated().filter { isWrong($0.element) }.map { "\(path):\($0.offset + 1)" }
    }

    /// Functions with their first line and their length in lines.
    var functions: [(line: Int, length: Int)] {
        code.indices.compactMap { index in
            guard SourceFile.beginsFunction(code[index]), let end = lastLine(ofFunctionAt: index) else { return nil }
            return (index + 1, end - index + 1)
        }
    }

    private static func beginsFunction(_ line: Substring) -> Bool {
        for word in line.split(whereSeparator: { " (?<".contains($0) }) {
            if ["func", "init", "deinit", "subscript"].contains(word) { return true }
            guard modifiers.contains(word) || word.hasPrefix("@") else { return false }
        }
        return false
    }

    private static let modifiers: Set<Substring> = [
        "package", "public", "internal", "fileprivate", "private", "static", "final", "mutating", "nonmutating",
        "override", "convenience", "required", "nonisolated", "isolated", "consuming", "borrowing", "indirect", "class",
    ]

    /// The formatter puts the closing brace of a declaration right below its beginning.
    private func lastLine(ofFunctionAt first: Int) -> Int? {
        let indentation = SourceFile.indentation(of: code[first])
        for index in code.indices.dropFirst(first + 1) {
            let line = code[index]
            let rest = line.drop { $0 == " " }
            guard let begin = rest.first else { continue }
            let depth = SourceFile.indentation(of: line)
            if depth > indentation { continue }
            guard depth == indentation else { return nil }
            if begin == "}" { return index }
            guard begin == ")" || begin == "{" || rest.hasPrefix("where ") || rest.hasPrefix("->") else { return nil }
        }
        return nil
    }

    private static func indentation(of line: Substring) -> Int { line.prefix { $0 == " " }.count }
}
