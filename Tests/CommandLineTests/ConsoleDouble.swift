@testable import shoal
import Shoal
import Synchronization

/// A console whose terminal, environment and files are what the test says.
final class ConsoleDouble: Console {
    let terminals: Set<shoal.OutputStream>
    let variables: [String: String]
    let files: [String: [UInt8]]
    let columns: Int
    let programFolder: String?
    let isInputTerminal: Bool
    private let input: Mutex<[String]>
    private let written = Mutex<[shoal.OutputStream: String]>([:])

    init(
        terminals: Set<shoal.OutputStream> = [],
        variables: [String: String] = [:],
        files: [String: [UInt8]] = [:],
        columns: Int = 80,
        programFolder: String? = nil,
        input: [String] = [],
        isInputTerminal: Bool = false
    ) {
        self.input = Mutex(input)
        self.isInputTerminal = isInputTerminal
        self.terminals = terminals
        self.variables = variables
        self.files = files
        self.columns = columns
        self.programFolder = programFolder
    }

    var output: String { written.withLock { $0[.standardOutput] ?? "" } }
    var errors: String { written.withLock { $0[.standardError] ?? "" } }

    func isTerminal(_ stream: shoal.OutputStream) -> Bool { terminals.contains(stream) }

    func line(isSecret: Bool, after question: String) async -> String? {
        if !question.isEmpty { written.withLock { $0[.standardError, default: ""] += question } }
        return input.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }

    func environment(_ name: String) -> String? { variables[name] }

    func exists(_ path: String) -> Bool { files[path] != nil }

    func contents(of path: String, limit: Int) throws(ShoalError) -> [UInt8] {
        guard let bytes = files[path] else { throw ShoalError(.notFound, "there is no file '\(path)'") }
        return bytes
    }

    func write(_ bytes: [UInt8], to stream: shoal.OutputStream) throws(ShoalError) {
        written.withLock { $0[stream, default: ""] += String(decoding: bytes, as: UTF8.self) }
    }

    func save(_ bytes: [UInt8], at path: String) throws(ShoalError) {
        throw ShoalError(.files, "cannot write '\(path)': this console has no disk")
    }
}
