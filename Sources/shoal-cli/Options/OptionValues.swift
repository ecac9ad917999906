import Shoal

/// The values of options, from the command line or else from the environment, with the name to blame for a bad one.
struct OptionValues {
    /// A value and where it came from: `--limit-up` or `SHOAL_LIMIT_UP`.
    struct Value: Hashable {
        let text: String
        let origin: String
    }

    private let verb: Verb
    private let given: [OptionName: [String]]
    private let environment: (String) -> String?

    init(_ parsed: ParsedArguments, environment: @escaping (String) -> String?) {
        verb = parsed.verb
        given = parsed.options
        self.environment = environment
    }

    /// Every value of a repeatable option; in the environment they are separated by commas.
    func all(_ name: OptionName) -> [Value] {
        let entry = OptionValues.entry(for: name)
        if let values = given[name] { return values.map { Value(text: $0, origin: "--" + name.rawValue) } }
        guard let variable = variable(for: name), let text = environmentValue(variable) else { return [] }
        let values = entry?.isRepeatable == true ? text.split(separator: ",").map(String.init) : [text]
        return values.map { Value(text: $0, origin: variable) }
    }

    /// The last value given: a later one overrides an earlier one.
    func last(_ name: OptionName) -> Value? { all(name).last }

    /// Whether the command line itself has the option, so that the environment must not contradict it.
    func isGiven(_ name: OptionName) -> Bool { given[name] != nil }

    /// Whether a flag is set.
    func flag(_ name: OptionName) throws(ShoalError) -> Bool {
        if given[name] != nil { return true }
        guard let variable = variable(for: name), let text = environmentValue(variable) else { return false }
        return try OptionValues.truth(Value(text: text, origin: variable))
    }

    /// Reads `1`, `on`, `no` and the like.
    static func truth(_ value: Value) throws(ShoalError) -> Bool {
        switch value.text.lowercased() {
        case "1", "true", "yes", "on": return true
        case "0", "false", "no", "off": return false
        default: throw ShoalError(.usage, "\(value.origin) must be on or off, not '\(value.text)'")
        }
    }

    /// A variable of the environment; an empty one counts as not set.
    func environmentValue(_ variable: String) -> String? {
        guard let text = environment(variable), !text.isEmpty else { return nil }
        return text
    }

    private func variable(for name: OptionName) -> String? {
        guard let entry = OptionValues.entry(for: name), entry.verbs.contains(verb) else { return nil }
        return entry.environmentVariable
    }

    private static func entry(for name: OptionName) -> OptionEntry? { OptionEntry.all.first { $0.name == name } }
}
