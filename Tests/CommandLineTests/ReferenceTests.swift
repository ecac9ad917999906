import Glibc
import Testing
@testable import shoal

@Suite("Tables and what is made from them")
struct ReferenceTests {
    @Test("every verb and every option has one row")
    func complete() {
        #expect(VerbEntry.all.map(\.verb) == Verb.allCases)
        #expect(Set(OptionEntry.all.map(\.name)) == Set(OptionName.allCases))
        #expect(OptionEntry.all.count == OptionName.allCases.count)
        let shorts = OptionEntry.all.compactMap(\.short)
        #expect(Set(shorts).count == shorts.count)
    }

    @Test("a family and a verb never share a word")
    func families() {
        #expect(Verb.families == ["tracker", "user", "chunks", "dht", "torrent", "id"])
        #expect(Verb.families.allSatisfy { Verb(rawValue: $0) == nil })
    }

    @Test("the first screen shows share and fetch with examples, before anything else")
    func firstScreen() {
        let lines = Help.text(for: .program).split(separator: "\n")
        #expect(lines[1].hasPrefix("  shoal share PATH...") && lines[2].hasPrefix("  shoal fetch WHAT"))
        #expect(lines[3] == "Examples")
        #expect(lines.count <= 40 && lines.allSatisfy { $0.count <= 96 })
    }

    @Test("a verb's help names every option of it", arguments: Verb.allCases)
    func verbHelp(verb: Verb) {
        let text = Help.text(for: .verb(verb))
        #expect(text.hasPrefix("shoal \(verb.rawValue) "))
        #expect(OptionEntry.entries(for: verb).allSatisfy { text.contains($0.synopsis) })
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 96 })
    }

    @Test("the examples of the table are command lines that are understood")
    func examples() throws {
        for example in VerbEntry.all.flatMap(\.examples) where example.command.hasPrefix("shoal ") {
            let command = example.command.prefix { $0 != "|" && $0 != ">" }
            let words = command.split(separator: " ").dropFirst().map { word in
                word.contains("...") ? someHash : word.filter { $0 != "'" }
            }
            let refusal = refusal(words, environment: ["HOME": "/home/u"], files: ["album.torrent"])
            #expect(refusal == nil, "\(example.command)")
        }
    }

    @Test("the man page names every verb, option, variable and exit code")
    func man() {
        let text = ManPage.text
        #expect(text.hasPrefix(".TH SHOAL 1"))
        #expect(VerbEntry.all.allSatisfy { text.contains("\\fB\(ManPage.escaped($0.verb.rawValue))\\fR") })
        #expect(OptionEntry.all.allSatisfy { text.contains("\\fB\(ManPage.escaped($0.spelling))\\fR") })
        #expect(OptionEntry.all.compactMap(\.environmentVariable).allSatisfy { text.contains("\\fB\($0)\\fR") })
        #expect(About.exitCodes.allSatisfy { text.contains("\\fB\($0.name)\\fR") })
        let requests = text.split(separator: "\n").filter { $0.hasPrefix(".") || $0.hasPrefix("'") }
        #expect(requests.allSatisfy { line in [".TH", ".SH", ".TP", ".br", ".PP"].contains { line.hasPrefix($0) } })
    }

    @Test(
        "roff takes text literally",
        arguments: [("a-b", "a\\-b"), (".x", "\\&.x"), ("'x'", "\\(aqx\\(aq"), ("a\\b", "a\\eb"), ("~", "\\(ti")]
    )
    func roff(text: String, escaped: String) {
        #expect(ManPage.escaped(text) == escaped)
    }

    @Test(
        "bash completes",
        arguments: [
            ("shoal fe", "fetch"), ("shoal dht ", "ping find get-peers have scrape put get sample table stats"),
            ("shoal --state x fe", "fetch"),
            ("shoal fetch --li", "--limit-down --limit-up --listen"), ("shoal fetch --secure ", "prefer require off"),
            ("shoal torrent create --pie", "--piece-length"), ("shoal completions ", "bash zsh fish"),
            ("shoal node x", ""), ("shoal id swarm-key ", "new"), ("shoal fetch --sw", "--swarm-key"),
        ]
    )
    func bash(line: String, words: String) throws {
        let test = """
            line='\(line)'; read -ra COMP_WORDS <<<"$line"; [[ $line != *' ' ]] || COMP_WORDS+=("")
            COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )); _shoal; echo "${COMPREPLY[*]}"
            """
        #expect(try run("bash", script: Completions.bash + test) == words)
    }

    @Test("zsh and fish take their scripts, where they are installed", arguments: [Invocation.Shell.zsh, .fish])
    func syntax(shell: Invocation.Shell) throws {
        let script = Completions.script(for: shell)
        #expect(OptionEntry.all.allSatisfy { script.contains($0.name.rawValue) })
        if try run("bash", script: "command -v \(shell.rawValue) || true") != "" {
            #expect(try run("\(shell.rawValue) -n", script: script) == "")
        }
    }

    /// What a shell prints, without the line end.
    private func run(_ shell: String, script: String) throws -> String {
        let path = "/tmp/shoal-script-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        try #require(descriptor >= 0)
        defer { unlink(path) }
        let bytes = Array(script.utf8)
        #expect(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
        close(descriptor)
        let stream = try #require(popen("\(shell) \(path) 2>&1", "r"))
        defer { pclose(stream) }
        var output: [UInt8] = []
        while case let byte = fgetc(stream), byte != EOF { output.append(UInt8(truncatingIfNeeded: byte)) }
        if output.last == 10 { output.removeLast() }
        return String(decoding: output, as: UTF8.self)
    }
}
