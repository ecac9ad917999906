extension Completions {
    /// One `complete` command for each word and option.
    static var fish: String {
        let families = Verb.families.joined(separator: " ")
        var lines = [
            "# fish completion for shoal; made by: shoal completions fish",
            "complete -c shoal -f",
        ]
        for row in firstWords { lines.append(fishWord(row, condition: "__fish_use_subcommand")) }
        for family in Verb.families {
            let members = secondWords(of: family)
            let names = members.map(\.name).joined(separator: " ")
            let condition = "__fish_seen_subcommand_from \(family); and not __fish_seen_subcommand_from \(names)"
            for row in members { lines.append(fishWord(row, condition: condition)) }
        }
        for entry in VerbEntry.all { lines += fishVerb(entry, families: families) }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func fishVerb(_ entry: VerbEntry, families: String) -> [String] {
        let words = entry.verb.words
        var condition = words.map { "__fish_seen_subcommand_from \($0)" }.joined(separator: "; and ")
        // `shoal help share` and the folder name in `shoal torrent create share` must not look like the verb.
        if words.count == 1 { condition += "; and not __fish_seen_subcommand_from \(families)" }
        let lead = "complete -c shoal -n '\(condition)'"
        var lines: [String] = []
        switch entry.argumentKind {
        case .none, .text: break
        case .files: lines.append("\(lead) -F")
        case .folder: lines.append("\(lead) -a '(__fish_complete_directories)'")
        case .torrentFile: lines.append("\(lead) -k -a '(__fish_complete_suffix .torrent)'")
        case .shell: lines.append("\(lead) -a '\(Invocation.Shell.allCases.map(\.rawValue).joined(separator: " "))'")
        case .newFile: lines += ["\(lead) -a 'new'", "\(lead) -F"]
        case .verb: lines.append("\(lead) -a '\(firstWords.map(\.name).joined(separator: " "))'")
        }
        return lines + OptionEntry.entries(for: entry.verb).map { lead + fishOption($0) }
    }

    private static func fishOption(_ option: OptionEntry) -> String {
        let value =
            switch option.argument {
            case .none: ""
            case .path: " -r -F"
            case .folder: " -x -a '(__fish_complete_directories)'"
            case .text: " -x"
            case .choice(let words): " -x -a '\(words.joined(separator: " "))'"
            }
        let short = option.short.map { " -s \($0)" } ?? ""
        return "\(short) -l \(option.name.rawValue)\(value) -d \(fishQuoted(option.meaning))"
    }

    private static func fishWord(_ row: About.Row, condition: String) -> String {
        "complete -c shoal -n '\(condition)' -a \(row.name) -d \(fishQuoted(row.meaning))"
    }

    private static func fishQuoted(_ text: String) -> String {
        "'" + text.reduce(into: "") { $0 += "'\\".contains($1) ? "\\\($1)" : String($1) } + "'"
    }
}
