/// Completion scripts for shells, made from the tables.
enum Completions {
    static func script(for shell: Invocation.Shell) -> String {
        switch shell {
        case .bash: bash
        case .zsh: zsh
        case .fish: fish
        }
    }

    /// The words that may come first: `share`, `dht`, ...
    static var firstWords: [About.Row] {
        var rows: [About.Row] = []
        for verb in Verb.allCases {
            guard let first = verb.words.first, !rows.contains(where: { $0.name == first }) else { continue }
            let summary =
                Verb.families.contains(first)
                ? Verb.members(of: first).compactMap(\.words.last).joined(separator: ", ")
                : VerbEntry.entry(for: verb)?.summary ?? ""
            rows.append(About.Row(name: first, meaning: summary))
        }
        return rows
    }

    static func secondWords(of family: String) -> [About.Row] {
        Verb.members(of: family).compactMap { verb in
            guard let word = verb.words.last, let entry = VerbEntry.entry(for: verb) else { return nil }
            return About.Row(name: word, meaning: entry.summary)
        }
    }

    /// Both spellings of an option.
    static func spellings(of option: OptionEntry) -> [String] {
        (option.short.map { ["-\($0)"] } ?? []) + [option.spelling]
    }
}
