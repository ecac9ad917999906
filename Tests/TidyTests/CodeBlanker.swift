/// Replaces comments and the insides of string literals by spaces, so that rules look at code alone.
struct CodeBlanker {
    private enum Mode {
        /// Code; inside an interpolation it ends at the parenthesis that closes it.
        case code(parentheses: Int)
        case string(pounds: Int, isMultiline: Bool)
    }

    private let input: [UInt8]
    private var output: [UInt8]
    private var position = 0
    private var modes: [Mode] = [.code(parentheses: 0)]

    static func blanked(_ bytes: [UInt8]) -> [UInt8] {
        var blanker = CodeBlanker(input: bytes)
        while blanker.position < bytes.count { blanker.step() }
        return blanker.output
    }

    private init(input: [UInt8]) {
        self.input = input
        output = input
    }

    private mutating func step() {
        switch modes.last {
        case .code(let parentheses): stepInCode(parentheses)
        case .string(let pounds, let isMultiline): stepInString(pounds, isMultiline)
        case nil: position = input.count
        }
    }

    private mutating func stepInCode(_ parentheses: Int) {
        if has("//") {
            while position < input.count, input[position] != newline { blank(1) }
        } else if has("/*") {
            blankComment()
        } else if let opening = openingQuote() {
            position += opening.length
            modes.append(.string(pounds: opening.pounds, isMultiline: opening.isMultiline))
        } else {
            if has("(") { modes[modes.count - 1] = .code(parentheses: parentheses + 1) }
            if has(")") {
                if parentheses == 0, modes.count > 1 {
                    modes.removeLast()
                } else {
                    modes[modes.count - 1] = .code(parentheses: parentheses - 1)
                }
            }
            position += 1
        }
    }

    private mutating func stepInString(_ pounds: Int, _ isMultiline: Bool) {
        let fence = String(repeating: "#", count: pounds)
        let closing = (isMultiline ? "\"\"\"" : "\"") + fence
        if has(closing) {
            position += closing.utf8.count
            modes.removeLast()
        } else if has("\\" + fence + "(") {
            blank(2 + pounds)
            modes.append(.code(parentheses: 0))
        } else if has("\\" + fence) {
            blank(2 + pounds)
        } else {
            blank(1)
        }
    }

    /// Comments nest in Swift.
    private mutating func blankComment() {
        var depth = 0
        repeat {
            if has("/*") {
                depth += 1
                blank(2)
            } else if has("*/") {
                depth -= 1
                blank(2)
            } else {
                blank(1)
            }
        } while depth > 0 && position < input.count
    }

    private func openingQuote() -> (length: Int, pounds: Int, isMultiline: Bool)? {
        var pounds = 0
        while position + pounds < input.count, input[position + pounds] == UInt8(ascii: "#") { pounds += 1 }
        guard has("\"", at: position + pounds) else { return nil }
        let isMultiline = has("\"\"\"", at: position + pounds)
        return (pounds + (isMultiline ? 3 : 1), pounds, isMultiline)
    }

    private func has(_ text: String, at index: Int? = nil) -> Bool {
        input[(index ?? position)...].starts(with: text.utf8)
    }

    private mutating func blank(_ count: Int) {
        for index in position..<min(position + count, input.count) where input[index] != newline { output[index] = 32 }
        position += count
    }

    private let newline = UInt8(ascii: "\n")
}
