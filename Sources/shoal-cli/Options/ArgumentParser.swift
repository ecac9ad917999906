import Shoal

/// A command line taken apart: which verb, which options, what is left. Values are still text.
struct ParsedArguments: Hashable, Sendable {
    var verb: Verb
    var positionals: [String] = []
    /// The values of each option in the order given; a flag has an empty text for each time.
    var options: [OptionName: [String]] = [:]
    /// `help fetch`, `fetch --help`, `dht --help`, or nothing at all: what to explain instead of doing it.
    var wantsHelp: HelpTopic?
}

/// What `--help` was asked about.
enum HelpTopic: Hashable, Sendable {
    case program
    case family(String)
    case verb(Verb)
}

/// Takes a command line apart by the tables: GNU conventions, options before, between and after arguments.
struct ArgumentParser {
    private var rest: ArraySlice<String>
    private var words: [String] = []
    private var options: [OptionName: [String]] = [:]
    private var optionsEnded = false
    /// How many of `words` stood before `--`: a verb is looked for only among these.
    private var verbCandidates = 0

    /// - Parameter arguments: without the name of the program.
    static func parse(_ arguments: [String]) throws(ShoalError) -> ParsedArguments {
        var parser = ArgumentParser(rest: withoutOldSpellings(arguments)[...])
        try parser.collect()
        return try parser.interpret()
    }

    /// What users of the chunk folders' first program type: `-folder D -transfer_port 6000 -name client1`.
    private static func withoutOldSpellings(_ arguments: [String]) -> [String] {
        guard arguments.starts(with: ["chunks", "run"]) else { return arguments }
        var (result, rest) = ([String](), arguments[...])
        while let argument = rest.popFirst() {
            switch (argument, rest.first) {
            case ("--", _):
                return result + [argument] + rest
            case ("-folder", let value?): result.append(value)
            case ("-transfer_port", let value?): result += ["--listen", ":" + value]
            case ("-name", let value?): result += ["--name", value]
            default:
                result.append(argument)
                continue
            }
            rest.removeFirst()
        }
        return result
    }

    private init(rest: ArraySlice<String>) { self.rest = rest }

    private mutating func collect() throws(ShoalError) {
        while let argument = rest.popFirst() {
            if optionsEnded || argument == "-" || !argument.hasPrefix("-") {
                words.append(argument)
                if !optionsEnded { verbCandidates = words.count }
            } else if argument == "--" {
                optionsEnded = true
            } else if argument.hasPrefix("--") {
                try long(argument.dropFirst(2))
            } else {
                try bundle(argument.dropFirst())
            }
        }
    }

    /// `--name`, `--name value`, `--name=value`.
    private mutating func long(_ text: Substring) throws(ShoalError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts.first ?? "")
        // Everybody tries it before reading anything.
        if name == "version", parts.count == 1, words.isEmpty {
            words.append(Verb.version.rawValue)
            verbCandidates = words.count
            return
        }
        guard let entry = OptionEntry.all.first(where: { $0.name.rawValue == name }) else { throw unknown("--" + name) }
        if entry.argument == .none {
            guard parts.count == 1 else { throw ShoalError(.usage, "\(entry.spelling) takes no value") }
            options[entry.name, default: []].append("")
        } else if parts.count == 2 {
            options[entry.name, default: []].append(String(parts[1]))
        } else {
            options[entry.name, default: []].append(try value(of: entry, spelled: entry.spelling))
        }
    }

    /// `-qv`, `-o value`, `-ovalue`, `-qo value`.
    private mutating func bundle(_ letters: Substring) throws(ShoalError) {
        var letters = letters
        while let letter = letters.popFirst() {
            guard let entry = OptionEntry.all.first(where: { $0.short == letter }) else { throw unknown("-\(letter)") }
            guard entry.argument != .none else {
                options[entry.name, default: []].append("")
                continue
            }
            let value = letters.isEmpty ? try value(of: entry, spelled: "-\(letter)") : String(letters)
            options[entry.name, default: []].append(value)
            return
        }
    }

    /// The next argument, unless it is plainly an option that was meant as one.
    private mutating func value(of entry: OptionEntry, spelled spelling: String) throws(ShoalError) -> String {
        guard let next = rest.first, !ArgumentParser.isKnownOption(next) else {
            let placeholder = entry.argument.placeholder ?? "a value"
            throw ShoalError(.usage, "\(spelling) needs a value: \(entry.spelling)=\(placeholder)")
        }
        rest.removeFirst()
        return next
    }

    private static func isKnownOption(_ text: String) -> Bool {
        guard text.hasPrefix("--"), let name = text.dropFirst(2).split(separator: "=").first else {
            return text == "--"
        }
        return OptionName(rawValue: String(name)) != nil
    }

    private func unknown(_ option: String) -> ShoalError {
        let verb = ArgumentParser.verb(in: words.prefix(verbCandidates))
        let entries = verb.map { OptionEntry.entries(for: $0) } ?? OptionEntry.all
        let candidates =
            option.hasPrefix("--") ? entries.map(\.spelling) : entries.compactMap { $0.short.map { "-\($0)" } }
        let subject = verb.map { "\($0.rawValue) has" } ?? "there is"
        let hint = Suggestion.hint(for: option, among: candidates)
        return ShoalError(.usage, "\(subject) no option \(option)\(hint)")
    }

    /// Where the person who typed this finds help, as far as the words tell.
    static func helpHint(for arguments: [String]) -> String {
        let words = arguments.prefix { $0 != "--" }.filter { !$0.hasPrefix("-") }
        if let verb = verb(in: words[...]) { return "shoal help \(verb.rawValue) explains" }
        guard let first = words.first, Verb.families.contains(first) else { return "shoal --help explains" }
        return "shoal help \(first) explains"
    }

    private static func verb(in words: ArraySlice<String>) -> Verb? {
        let words = Array(words)
        if words.count > 1, let verb = Verb(rawValue: words[0] + " " + words[1]) { return verb }
        return words.first.flatMap { Verb.families.contains($0) || $0.contains(" ") ? nil : Verb(rawValue: $0) }
    }
}

extension ArgumentParser {
    /// Finds the verb and checks that options and arguments go with it.
    private func interpret() throws(ShoalError) -> ParsedArguments {
        let candidates = words.prefix(verbCandidates)
        guard let verb = ArgumentParser.verb(in: candidates) ?? usualVerb(candidates) else {
            return try withoutVerb(candidates)
        }
        var parsed = ParsedArguments(verb: verb)
        parsed.positionals = Array(words.dropFirst(verb.words.count))
        parsed.options = options
        if verb == .help { parsed.wantsHelp = try ArgumentParser.topic(of: parsed.positionals) }
        if options[.help] != nil { parsed.wantsHelp = .verb(verb) }
        guard parsed.wantsHelp == nil else { return parsed }
        try checkOptions(of: verb)
        try checkCount(of: parsed)
        return parsed
    }

    /// `shoal id`, and nothing else but options.
    private func usualVerb(_ candidates: ArraySlice<String>) -> Verb? {
        guard words.count == 1, options[.help] == nil else { return nil }
        return candidates.first.flatMap(Verb.usual)
    }

    /// No verb: help for the program or a family, or a slip of the finger.
    private func withoutVerb(_ candidates: ArraySlice<String>) throws(ShoalError) -> ParsedArguments {
        let wantsHelp = options[.help] != nil
        guard let first = candidates.first else {
            guard wantsHelp else {
                throw ShoalError(.usage, "say what to do: shoal share PATH, shoal fetch WHAT")
            }
            return ParsedArguments(verb: .help, options: options, wantsHelp: .program)
        }
        if Verb.families.contains(first) {
            let second = candidates.dropFirst().first
            if wantsHelp, second == nil {
                return ParsedArguments(verb: .help, options: options, wantsHelp: .family(first))
            }
            throw ArgumentParser.unknownMember(second, of: first)
        }
        throw ArgumentParser.unknownVerb(first)
    }

    private static func topic(of words: [String]) throws(ShoalError) -> HelpTopic {
        guard let first = words.first else { return .program }
        if let verb = verb(in: words[...]) { return .verb(verb) }
        guard Verb.families.contains(first) else { throw unknownVerb(first) }
        guard words.count == 1 else { throw unknownMember(words[1], of: first) }
        return .family(first)
    }

    private static func unknownVerb(_ word: String) -> ShoalError {
        let known = Verb.allCases.compactMap(\.words.first)
        if let meant = Suggestion.nearest(to: word, among: known) {
            return ShoalError(
                .usage,
                "there is no verb '\(word)'; did you mean \(meant)?"
            )
        }
        return ShoalError(
            .usage,
            "there is no verb '\(word)'; shoal share PATH shares, shoal fetch WHAT fetches"
        )
    }

    private static func unknownMember(_ word: String?, of family: String) -> ShoalError {
        let members = Verb.members(of: family).compactMap(\.words.last)
        let list = members.joined(separator: ", ")
        guard let word else { return ShoalError(.usage, "\(family) needs one of: \(list)") }
        let hint = Suggestion.hint(for: word, among: members)
        return ShoalError(.usage, "\(family) has no verb '\(word)'\(hint) (it has: \(list))")
    }

    private func checkOptions(of verb: Verb) throws(ShoalError) {
        // In table order, so that the same mistake always gives the same message.
        for entry in OptionEntry.all where options[entry.name] != nil && !entry.verbs.contains(verb) {
            let homes = entry.verbs.map(\.rawValue).joined(separator: ", ")
            throw ShoalError(
                .usage,
                "\(entry.spelling) does not go with \(verb.rawValue); it belongs to: \(homes)"
            )
        }
    }

    private func checkCount(of parsed: ParsedArguments) throws(ShoalError) {
        guard let entry = VerbEntry.entry(for: parsed.verb) else { return }
        let count = parsed.positionals.count
        guard !entry.argumentCount.contains(count) else { return }
        let name = parsed.verb.rawValue
        let complaint =
            if entry.argumentCount.upperBound == 0 {
                "\(name) takes no argument, but '\(parsed.positionals[0])' was given"
            } else if count < entry.argumentCount.lowerBound {
                "\(name) needs \(entry.arguments)"
            } else {
                "\(name) takes \(entry.arguments), but \(count) arguments were given"
            }
        throw ShoalError(.usage, "\(complaint); usage: \(entry.usage)")
    }
}
