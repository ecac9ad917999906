extension Completions {
    /// A function with one `case` for the value of an option and one for each verb.
    static var bash: String {
        """
        # bash completion for shoal; made by: shoal completions bash
        _shoal() {
            local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} verb="" word="" index
            COMPREPLY=()
            for ((index = 1; index < COMP_CWORD; index++)); do
                word=${COMP_WORDS[index]}
                case $word in
                    \(valued.flatMap(spellings).joined(separator: "|"))) ((index++)) ;;
                    -*) ;;
                    *)
                        case "$verb" in
                            "") verb=$word ;;
                            \(Verb.families.joined(separator: "|"))) verb="$verb $word" ;;
                        esac
                        ;;
                esac
            done
            case $previous in
        \(valued.map(bashValue).joined(separator: "\n"))
            esac
            case $verb in
                "") _shoal_words "\(firstWords.map(\.name).joined(separator: " "))" ;;
        \(Verb.families.map(bashFamily).joined(separator: "\n"))
        \(VerbEntry.all.map(bashVerb).joined(separator: "\n"))
            esac
        }
        _shoal_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }
        _shoal_files() { compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current"); }
        _shoal_folders() { compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$current"); }
        _shoal_torrents() {
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -d -- "$current"; compgen -f -X '!*.torrent' -- "$current")
        }
        complete -F _shoal shoal

        """
    }

    private static var valued: [OptionEntry] { OptionEntry.all.filter { $0.argument != .none } }

    private static func bashValue(_ option: OptionEntry) -> String {
        let action =
            switch option.argument {
            case .path: "_shoal_files"
            case .folder: "_shoal_folders"
            case .choice(let words): "_shoal_words \"\(words.joined(separator: " "))\""
            case .text, .none: ":"
            }
        return "        \(spellings(of: option).joined(separator: "|"))) \(action); return ;;"
    }

    private static func bashFamily(_ family: String) -> String {
        let words = secondWords(of: family).map(\.name).joined(separator: " ")
        return "        \(family)) _shoal_words \"\(words)\" ;;"
    }

    private static func bashVerb(_ entry: VerbEntry) -> String {
        let options = OptionEntry.entries(for: entry.verb).flatMap(spellings).joined(separator: " ")
        let arguments =
            switch entry.argumentKind {
            case .files: "_shoal_files"
            case .folder: "_shoal_folders"
            case .torrentFile: "_shoal_torrents"
            case .shell: "_shoal_words \"\(Invocation.Shell.allCases.map(\.rawValue).joined(separator: " "))\""
            case .newFile: "if [[ $previous == *-key ]]; then _shoal_words \"new\"; else _shoal_files; fi"
            case .verb: "_shoal_words \"\(firstWords.map(\.name).joined(separator: " "))\""
            case .none, .text: ":"
            }
        return """
                    "\(entry.verb.rawValue)")
                        if [[ $current == -* ]]; then _shoal_words "\(options)"; else \(arguments); fi
                        ;;
            """
    }
}
