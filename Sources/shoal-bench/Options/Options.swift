/// What the command line asks for.
enum Options {
    case help(String)
    case parts(ReportFormat)
    case check(Check)
    case start(Start)
    case dht([String])
    case swarm([String])
    case script(ScriptCommand, [String])

    struct Check {
        /// Size of the file, in GiB.
        var gib = 4.0
        /// Where the file goes; `nil` chooses.
        var folder: String?
        var format = ReportFormat.table
    }

    struct Start {
        var nodes = 20
        var runs = 20
        var format = ReportFormat.table
    }

    /// - Parameter arguments: without the name of the program.
    static func read(_ arguments: [String]) throws(BenchError) -> Options {
        guard let verb = arguments.first else {
            throw .usage("a verb is needed: parts, check, start, dht, swarm, transfer or flood")
        }
        let rest = Array(arguments.dropFirst())
        // What follows is for another program, its --help too.
        if let script = ScriptCommand(rawValue: verb) { return .script(script, rest) }
        if ["-h", "--help", "help"].contains(verb) || rest.contains(where: { ["-h", "--help"].contains($0) }) {
            return .help(Help.text)
        }
        switch verb {
        case "parts": return try parts(rest)
        case "check": return try check(rest)
        case "start": return try start(rest)
        case "dht": return .dht(rest)
        case "swarm": return .swarm(rest)
        default: throw .usage("there is no verb '\(verb)': parts, check, start, dht, swarm, transfer, flood")
        }
    }

    private static func parts(_ arguments: [String]) throws(BenchError) -> Options {
        var flags = Flags(arguments)
        var format = ReportFormat.table
        while let flag = flags.next() {
            switch flag {
            case "--json": format = .jsonLines
            default: throw .usage("parts has no option '\(flag)'")
            }
        }
        return .parts(format)
    }

    private static func check(_ arguments: [String]) throws(BenchError) -> Options {
        var flags = Flags(arguments)
        var options = Check()
        while let flag = flags.next() {
            switch flag {
            case "--json": options.format = .jsonLines
            case "--folder": options.folder = try flags.value(of: flag)
            case "--gib": options.gib = try flags.number(of: flag, in: 0.01...1024, Double.init)
            default: throw .usage("check has no option '\(flag)'")
            }
        }
        return .check(options)
    }

    private static func start(_ arguments: [String]) throws(BenchError) -> Options {
        var flags = Flags(arguments)
        var options = Start()
        while let flag = flags.next() {
            switch flag {
            case "--json": options.format = .jsonLines
            case "--nodes": options.nodes = try flags.number(of: flag, in: 2...200, Int.init)
            case "--runs": options.runs = try flags.number(of: flag, in: 1...1000, Int.init)
            default: throw .usage("start has no option '\(flag)'")
            }
        }
        return .start(options)
    }
}

/// The flags of a verb, one after the other: `--flag VALUE` or `--flag=VALUE`.
struct Flags {
    private var arguments: ArraySlice<String>
    private var attached: String?

    init(_ arguments: [String]) { self.arguments = arguments[...] }

    /// The next flag; a value that nobody asked for comes as one.
    mutating func next() -> String? {
        if let value = attached {
            attached = nil
            return "=" + value
        }
        guard let argument = arguments.popFirst() else { return nil }
        guard argument.hasPrefix("--"), let equals = argument.firstIndex(of: "=") else { return argument }
        attached = String(argument[argument.index(after: equals)...])
        return String(argument[..<equals])
    }

    mutating func value(of flag: String) throws(BenchError) -> String {
        defer { attached = nil }
        guard let value = attached ?? arguments.popFirst() else { throw .usage("\(flag) needs a value") }
        return value
    }

    mutating func number<Number: Comparable>(
        of flag: String,
        in range: ClosedRange<Number>,
        _ read: (String) -> Number?
    ) throws(BenchError) -> Number {
        let text = try value(of: flag)
        guard let number = read(text), range.contains(number) else {
            throw .usage("\(flag) takes a number from \(range.lowerBound) to \(range.upperBound), not '\(text)'")
        }
        return number
    }
}
