import Shoal

/// The commands that need no node: what the program is and how to use it.
enum AboutCommands {
    static func help(_ topic: HelpTopic, on console: some Console) throws(ShoalError) {
        try console.write(Help.text(for: topic), to: .standardOutput)
    }

    static func version(_ options: ConsoleOptions, on console: some Console) throws(ShoalError) {
        var text = "\(About.name) \(About.version)"
        if options.json {
            var object = JSONObject(event: "version")
            object.add("name", About.name)
            object.add("version", About.version)
            text = object.line
        }
        try console.write(text + "\n", to: .standardOutput)
    }

    static func completions(_ shell: Invocation.Shell, on console: some Console) throws(ShoalError) {
        try console.write(Completions.script(for: shell), to: .standardOutput)
    }

    static func man(on console: some Console) throws(ShoalError) {
        try console.write(ManPage.text, to: .standardOutput)
    }
}
