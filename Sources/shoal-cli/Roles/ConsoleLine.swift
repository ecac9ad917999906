/// One line that somebody types at a console.
enum ConsoleLine: Hashable, Sendable {
    /// `torrent -mode MODE REST`; the rest is a file name, spaces and all.
    case torrent(mode: String, rest: String)
    /// Anything else, in lower case where it is letters of ASCII.
    case words(String)
    case empty

    init(_ line: String) {
        let text = ConsoleLine.trimmed(line[...])
        guard !text.isEmpty else {
            self = .empty
            return
        }
        let (command, afterCommand) = ConsoleLine.split(text)
        let (option, afterOption) = ConsoleLine.split(afterCommand)
        if command == "torrent", option == "-mode" || option == "--mode" {
            let (mode, rest) = ConsoleLine.split(afterOption)
            self = .torrent(mode: mode.lowercased(), rest: String(rest))
        } else {
            self = .words(text.lowercased())
        }
    }

    /// The first word, and what follows it.
    private static func split(_ text: Substring) -> (word: Substring, rest: Substring) {
        let word = text.prefix { !isBlank($0) }
        return (word, trimmed(text[word.endIndex...]))
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let front = text.drop(while: isBlank)
        guard let last = front.lastIndex(where: { !isBlank($0) }) else { return front }
        return front[...last]
    }

    private static func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
}
