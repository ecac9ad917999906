/// The manual page in roff (man macros), made from the tables.
enum ManPage {
    static var text: String {
        let head = """
            .TH SHOAL 1 "" "shoal \(About.version)" "User Commands"
            .SH NAME
            shoal \\- \(escaped(About.summary))

            """
        return head + synopsis + description + commands + options + environment + rows("FILES", About.files)
            + rows("EXIT STATUS", About.exitCodes) + examples + seeAlso
    }

    private static var synopsis: String {
        ".SH SYNOPSIS\n"
            + VerbEntry.all.map { entry in
                let arguments = entry.arguments.isEmpty ? "" : " \\fI\(escaped(entry.arguments))\\fR"
                return "\\fBshoal \(escaped(entry.verb.rawValue))\\fR [\\fIOPTION\\fR...]\(arguments)\n"
            }.joined(separator: ".br\n")
    }

    private static var description: String {
        """
        .SH DESCRIPTION
        \(escaped("shoal shares files straight from machine to machine. Peers find each other in a distributed hash table; no server takes part. It speaks the BitTorrent protocols, so every client that does is a peer."))
        .PP
        \(escaped("Between nodes of shoal sessions are encrypted and authenticated by the nodes' keys (shoal id show); other clients on the same port are served in plain. A peer that was secure is not talked to in plain for a week after that. --peer with a key, --trust and --swarm-key say with whom to talk at all."))
        .PP
        \(escaped("Data goes to standard output, progress and messages to standard error. On a terminal the progress is live; elsewhere it is a line every ten seconds."))

        """
    }

    private static var commands: String {
        ".SH COMMANDS\n"
            + VerbEntry.all.map { entry in
                let arguments = entry.arguments.isEmpty ? "" : " \\fI\(escaped(entry.arguments))\\fR"
                return ".TP\n\\fB\(escaped(entry.verb.rawValue))\\fR\(arguments)\n\(escaped(entry.details))\n"
            }.joined()
    }

    private static var options: String {
        ".SH OPTIONS\n"
            + OptionEntry.all.map { option in
                let verbs =
                    option.verbs == Verb.allCases
                    ? "" : " (\(option.verbs.map(\.rawValue).joined(separator: ", ")))"
                return ".TP\n\(synopsis(of: option))\n\(escaped(option.meaning + verbs))\n"
            }.joined()
    }

    private static func synopsis(of option: OptionEntry) -> String {
        let names = [option.short.map { "-\($0)" }, option.spelling].compactMap { $0 }.map { "\\fB\(escaped($0))\\fR" }
        return names.joined(separator: ", ") + (option.argument.placeholder.map { " \\fI\(escaped($0))\\fR" } ?? "")
    }

    private static var environment: String {
        let twins = OptionEntry.all.compactMap { option in
            option.environmentVariable.map { About.Row(name: $0, meaning: "the same as \(option.spelling)") }
        }
        let rule = """
            The command line wins over the environment. Flags take on or off; where an option is repeatable, the \
            values are separated by commas.
            """
        return ".SH ENVIRONMENT\n\(escaped(rule))\n" + list(twins + About.environment)
    }

    private static var examples: String {
        ".SH EXAMPLES\n"
            + VerbEntry.all.flatMap(\.examples).map { ".TP\n\\fB\(escaped($0.command))\\fR\n\(escaped($0.meaning))\n" }
            .joined()
    }

    private static var seeAlso: String {
        ".SH SEE ALSO\n\(escaped("BitTorrent Enhancement Proposals 3, 5, 6, 9, 10, 20, 23, 27, 32, 33, 42, 43, 44, 46, 51: https://www.bittorrent.org/beps/"))\n"
    }

    private static func rows(_ title: String, _ rows: [About.Row]) -> String { ".SH \(title)\n" + list(rows) }

    private static func list(_ rows: [About.Row]) -> String {
        rows.map { ".TP\n\\fB\(escaped($0.name))\\fR\n\(escaped($0.meaning))\n" }.joined()
    }

    /// A backslash begins an escape, `-` alone is a hyphen and no minus, and a dot or quote at the beginning of a line
    /// is a request.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\e"
            case "-": escaped += "\\-"
            case "'": escaped += "\\(aq"
            case "~": escaped += "\\(ti"
            case "^": escaped += "\\(ha"
            case "`": escaped += "\\(ga"
            default: escaped.append(character)
            }
        }
        return escaped.hasPrefix(".") ? "\\&" + escaped : escaped
    }
}
