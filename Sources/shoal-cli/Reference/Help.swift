/// What `--help` prints, made from the tables.
enum Help {
    /// Lines are broken here: comfortable to read, and narrower than any terminal.
    private static let width = 96

    static func text(for topic: HelpTopic) -> String {
        switch topic {
        case .program: program
        case .family(let family): text(forFamily: family)
        case .verb(let verb): text(for: verb)
        }
    }

    private static var program: String {
        let main: [Verb] = [.share, .fetch]
        var text = "\(About.name) \(About.version): \(About.summary), with no server in between\n\n"
        text += list(main.map { row(for: $0) }, column: 23)
        text += "\nExamples\n" + list(examples(of: main), column: 57)
        text += "\nMore commands\n" + list(Verb.allCases.filter { !main.contains($0) }.compactMap(shortRow), column: 36)
        text += "\nOptions for all\n"
        text += list(OptionEntry.all.filter { $0.verbs == Verb.allCases }.map(row), column: 36)
        return text + "\nshoal help VERB explains a command with all its options; shoal man prints the manual.\n"
    }

    private static func text(forFamily family: String) -> String {
        "shoal \(family) VERB\n\n" + list(Verb.members(of: family).map { row(for: $0) }, column: 32)
            + "\nshoal help \(family) VERB explains one of them.\n"
    }

    private static func text(for verb: Verb) -> String {
        guard let entry = VerbEntry.entry(for: verb) else { return program }
        var text = "\(entry.usage)\n\n\(wrapped(entry.details, indent: 0, width: width))\n"
        if !entry.examples.isEmpty { text += "\nExamples\n" + list(examples(of: [verb]), column: 57) }
        text += "\nOptions (each is also an environment variable: --limit-up is SHOAL_LIMIT_UP)\n"
        return text + list(OptionEntry.entries(for: verb).map(row), column: 36)
    }

    /// A family has one row for all of its verbs.
    private static func shortRow(for verb: Verb) -> About.Row? {
        guard verb.words.count == 2, let family = verb.words.first else { return row(for: verb) }
        let members = Verb.members(of: family)
        guard verb == members.first else { return nil }
        let words = members.compactMap(\.words.last).joined(separator: "|")
        let list = Verb.usual(of: family) == nil ? words : "[\(words)]"
        return About.Row(name: "shoal \(family) \(list)", meaning: About.summary(of: family))
    }

    private static func row(for verb: Verb) -> About.Row {
        guard let entry = VerbEntry.entry(for: verb) else { return About.Row(name: verb.rawValue, meaning: "") }
        let arguments = entry.arguments.isEmpty ? "" : " \(entry.arguments)"
        return About.Row(name: "shoal \(verb.rawValue)\(arguments)", meaning: entry.summary)
    }

    private static func row(for option: OptionEntry) -> About.Row {
        About.Row(name: (option.short == nil ? "    " : "") + option.synopsis, meaning: option.meaning)
    }

    private static func examples(of verbs: [Verb]) -> [About.Row] {
        verbs.compactMap(VerbEntry.entry).flatMap(\.examples).map { About.Row(name: $0.command, meaning: $0.meaning) }
    }

    /// Two columns; a name too long for the first puts its meaning on a line of its own.
    private static func list(_ rows: [About.Row], column: Int) -> String {
        var text = ""
        for row in rows {
            let meaning = wrapped(row.meaning, indent: column, width: width)
            let name = "  " + row.name
            if name.count + 2 <= column {
                text += name + String(repeating: " ", count: column - name.count) + meaning + "\n"
            } else {
                text += name + "\n" + String(repeating: " ", count: column) + meaning + "\n"
            }
        }
        return text
    }

    /// Breaks at spaces; lines after the first are indented.
    static func wrapped(_ text: String, indent: Int, width: Int) -> String {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, indent + line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        lines.append(line)
        return lines.joined(separator: "\n" + String(repeating: " ", count: indent))
    }
}
