extension Completions {
    /// One `_arguments` call for each verb.
    static var zsh: String {
        """
        #compdef shoal
        # zsh completion for shoal; made by: shoal completions zsh
        _shoal() {
            local context state state_descr line
            typeset -A opt_args
            _arguments -C '1:command:->command' '*::argument:->argument'
            case $state in
                command)
                    local -a commands=(\(firstWords.map(zshRow).joined(separator: " ")))
                    _describe command commands
                    ;;
                argument)
                    case $words[1] in
        \(Verb.families.map(zshFamily).joined(separator: "\n"))
        \(VerbEntry.all.filter { $0.verb.words.count == 1 }.map { zshVerb($0, indent: 16) }.joined(separator: "\n"))
                    esac
                    ;;
            esac
        }
        if [[ $funcstack[1] == _shoal ]]; then _shoal "$@"; else compdef _shoal shoal; fi

        """
    }

    private static func zshFamily(_ family: String) -> String {
        """
                        \(family))
                            _arguments -C '1:command:->member' '*::argument:->rest'
                            case $state in
                                member)
                                    local -a members=(\(secondWords(of: family).map(zshRow).joined(separator: " ")))
                                    _describe command members
                                    ;;
                                rest)
                                    case $words[1] in
        \(Verb.members(of: family).compactMap(VerbEntry.entry).map { zshVerb($0, indent: 32) }.joined(separator: "\n"))
                                    esac
                                    ;;
                            esac
                            ;;
        """
    }

    private static func zshVerb(_ entry: VerbEntry, indent: Int) -> String {
        let argument: [String] =
            switch entry.argumentKind {
            case .none: []
            case .files: ["'*:path:_files'"]
            case .folder: ["'1:folder:_files -/'"]
            case .torrentFile: ["'1:torrent:_files -g \"*.torrent(-.)\"'", "'2:path:_files'"]
            case .shell: ["'1:shell:(\(Invocation.Shell.allCases.map(\.rawValue).joined(separator: " ")))'"]
            case .newFile: ["'1:verb:(new)'", "'2:file:_files'"]
            case .verb: ["'1:command:(\(firstWords.map(\.name).joined(separator: " ")))'"]
            case .text: ["'1:\(entry.arguments.split(separator: ":").joined(separator: "\\:")): '"]
            }
        let words = OptionEntry.entries(for: entry.verb).map(zshOption) + argument
        let space = String(repeating: " ", count: indent)
        let call = (["_arguments"] + words).joined(separator: " \\\n\(space)        ")
        return "\(space)\(entry.verb.words.last ?? ""))\n\(space)    \(call)\n\(space)    ;;"
    }

    private static func zshOption(_ option: OptionEntry) -> String {
        let value =
            switch option.argument {
            case .none: ""
            case .path(let name): ":\(name):_files"
            case .folder(let name): ":\(name):_files -/"
            case .text(let name): ":\(name.split(separator: ":").joined(separator: "\\:")): "
            case .choice(let words): ":value:(\(words.joined(separator: " ")))"
            }
        let spec = zshQuoted("[\(zshBracketed(option.meaning))]\(value)")
        let repeats = option.isRepeatable ? "*" : ""
        guard let short = option.short else { return zshQuoted(repeats) + option.spelling + equals(option) + spec }
        return "'(-\(short) \(option.spelling))'{-\(short),\(option.spelling)\(equals(option))}\(spec)"
    }

    /// `--name=` lets the value follow after `=` or as the next word.
    private static func equals(_ option: OptionEntry) -> String { option.argument == .none ? "" : "=" }

    private static func zshRow(_ row: About.Row) -> String {
        zshQuoted(row.name + ":" + row.meaning.split(separator: ":").joined(separator: "\\:"))
    }

    private static func zshQuoted(_ text: String) -> String {
        text.isEmpty
            ? "" : "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    private static func zshBracketed(_ text: String) -> String {
        text.reduce(into: "") { $0 += "[]\\:".contains($1) ? "\\\($1)" : String($1) }
    }
}
