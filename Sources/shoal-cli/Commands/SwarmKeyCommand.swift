import Metainfo
import Shoal

/// `shoal id swarm-key new FILE`; touches no network.
enum SwarmKeyCommand {
    static func run(_ file: String, _ options: ConsoleOptions, on console: some Console) throws(ShoalError) {
        try SwarmKeyFile.make(at: file)
        if options.json {
            try console.write(JSONLines.line(forSwarmKeyIn: file) + "\n", to: .standardOutput)
        } else if !options.isQuiet {
            let text = """
                made a new swarm key in '\(DisplayText.clean(file))'; give a copy to each member, in secret: whoever has \
                it can join\n
                """
            try console.write(text, to: .standardError)
        }
    }
}
