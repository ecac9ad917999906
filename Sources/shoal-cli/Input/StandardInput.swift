import Glibc
import Storage
import Synchronization

/// Lines of standard input, from a person or a pipe.
///
/// Reading blocks, so each line is waited for on a thread of its own; whoever waits for it keeps none.
enum StandardInput {
    /// A line longer than this is no line of anybody's; the rest of it is passed over.
    private static let mostBytes = 64 << 10

    /// What was read and belongs to later lines.
    private static let buffered = Mutex<[UInt8]>([])

    static var isTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// The next line without its end; `nil` at the end of the input.
    ///
    /// - Parameters:
    ///   - isSecret: on a terminal nothing is shown of what is typed.
    ///   - question: written to standard error before; of a secret only once nothing is shown, for who types fast, or is
    ///     a program, answers at once.
    static func line(isSecret: Bool, after question: String) async -> String? {
        let isHidden = isSecret && isTerminal
        return await withCheckedContinuation { continuation in
            let read: @Sendable () -> Void = {
                continuation.resume(returning: isHidden ? secret(after: question) : plain(after: question))
            }
            guard let worker = Worker(named: "shoal-input", read) else { return read() }
            worker.detach()
        }
    }

    private static func plain(after question: String) -> String? {
        ask(question)
        return buffered.withLock { buffered in
            var isTooLong = false
            while true {
                if let end = buffered.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = buffered[..<end]
                    buffered.removeSubrange(...end)
                    if isTooLong { return "" }
                    return text(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
                }
                if buffered.count > mostBytes {
                    isTooLong = true
                    buffered = []
                }
                var chunk = [UInt8](repeating: 0, count: 4096)
                let count = read(STDIN_FILENO, &chunk, chunk.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    defer { buffered = [] }
                    return buffered.isEmpty || isTooLong ? nil : text(buffered[...])
                }
                buffered += chunk[..<count]
            }
        }
    }

    /// Reads key by key, and takes the interrupt key itself: a terminal left without echo by a Ctrl-C would be useless.
    private static func secret(after question: String) -> String? {
        var mode = termios()
        guard tcgetattr(STDIN_FILENO, &mode) == 0 else { return plain(after: question) }
        var silent = mode
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &mode) }
        ask(question)
        var typed: [UInt8] = []
        while true {
            var key: UInt8 = 0
            let count = read(STDIN_FILENO, &key, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else { return nil }
            switch key {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                newLine()
                return text(typed[...])
            // Ctrl-C.
            case 3:
                newLine()
                tcsetattr(STDIN_FILENO, TCSAFLUSH, &mode)
                kill(getpid(), SIGINT)
                return nil
            // Ctrl-D.
            case 4:
                guard typed.isEmpty else { continue }
                newLine()
                return nil
            // Backspace, as terminals send it.
            case 8, 127: removeLastCharacter(of: &typed)
            // Ctrl-U.
            case 21: typed = []
            default: if typed.count < mostBytes { typed.append(key) }
            }
        }
    }

    /// The cursor is still behind the question.
    private static func newLine() { ask("\n") }

    /// Where standard error takes nothing, nobody reads the question.
    private static func ask(_ question: String) {
        let bytes = Array(question.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }

    /// In UTF-8 a character ends where the next byte is no continuation.
    private static func removeLastCharacter(of typed: inout [UInt8]) {
        while let byte = typed.popLast(), byte & 0xc0 == 0x80 {}
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
