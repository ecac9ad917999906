import Shoal

/// Where passwords come from: a file, the environment, a person or a pipe; never an argument, which every user of the
/// machine can read.
enum Password {
    /// Longer ones cost the tracker more to hash than anybody gains.
    private static let mostBytes = 1024

    /// - Parameters:
    ///   - file: whose first line it is.
    ///   - isNew: a person is asked twice.
    static func read(
        file: String?,
        isNew: Bool,
        question: String = "Password: ",
        on console: some Console
    ) async throws(ShoalError) -> String {
        if let file {
            let bytes = try console.contents(of: file, limit: 1 << 16)
            let line = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
            return try checked(String(decoding: line, as: UTF8.self), from: "'\(file)'")
        }
        if let password = console.environment("SHOAL_PASSWORD"), !password.isEmpty {
            return try checked(password, from: "SHOAL_PASSWORD")
        }
        guard console.isInputTerminal else {
            guard let line = await console.line(isSecret: true) else {
                throw ShoalError(.usage, "a password is needed: --password-file, SHOAL_PASSWORD, or a line of input")
            }
            return try checked(line, from: "the input")
        }
        guard let first = await console.line(isSecret: true, after: question) else {
            throw ShoalError(.usage, "no password was typed")
        }
        guard isNew else { return try checked(first, from: "what was typed") }
        guard await console.line(isSecret: true, after: "Again: ") == first else {
            throw ShoalError(.usage, "the two passwords are not the same; nothing was done")
        }
        return try checked(first, from: "what was typed")
    }

    private static func checked(_ password: String, from origin: String) throws(ShoalError) -> String {
        guard !password.isEmpty else { throw ShoalError(.usage, "the password in \(origin) is empty") }
        guard password.utf8.count <= mostBytes else {
            throw ShoalError(.usage, "the password in \(origin) is longer than \(mostBytes) bytes")
        }
        return password
    }
}
