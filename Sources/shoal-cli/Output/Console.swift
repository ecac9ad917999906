import CLinux
import Glibc
import Shoal

/// Where the program's text goes and what it may know about its surroundings; tests bring their own.
protocol Console: Sendable {
    /// Whether a person reads this stream.
    func isTerminal(_ stream: OutputStream) -> Bool
    /// Whether a person types the input.
    var isInputTerminal: Bool { get }
    /// Asks something, and reads the next line of the input without its end; `nil` at its end. On a terminal nothing is
    /// shown of a secret one.
    func line(isSecret: Bool, after question: String) async -> String?
    /// Columns of the terminal behind standard error.
    var columns: Int { get }
    /// A variable of the environment.
    func environment(_ name: String) -> String?
    /// Whether a path names something on disk.
    func exists(_ path: String) -> Bool
    /// The bytes of a file, at most `limit` of them.
    func contents(of path: String, limit: Int) throws(ShoalError) -> [UInt8]
    /// The folder that holds the program itself.
    var programFolder: String? { get }
    /// Writes everything, waiting for a slow reader.
    func write(_ bytes: [UInt8], to stream: OutputStream) throws(ShoalError)
    /// Writes a new file, or replaces one as a whole.
    func save(_ bytes: [UInt8], at path: String) throws(ShoalError)
}

/// Data goes to one, progress and log to the other.
enum OutputStream: Int32, Hashable, Sendable {
    case standardOutput = 1
    case standardError = 2
}

extension Console {
    /// The next line of the input, of which nothing was asked.
    func line(isSecret: Bool) async -> String? { await line(isSecret: isSecret, after: "") }

    /// Writes text.
    func write(_ text: String, to stream: OutputStream) throws(ShoalError) {
        try write(Array(text.utf8), to: stream)
    }

    /// How progress and messages look, by the options and what standard error is.
    func style(for options: ConsoleOptions) -> Display.Style {
        let isDumb = environment("TERM") == "dumb" || environment("TERM") == nil
        let isLive = isTerminal(.standardError) && !isDumb
        let usesColor =
            switch options.color {
            case .always: true
            case .never: false
            case .auto: isLive
            }
        return Display.Style(
            isLive: isLive && !options.json,
            usesColor: usesColor,
            isQuiet: options.isQuiet,
            isVerbose: options.isVerbose
        )
    }
}

/// The surroundings of a real process.
struct SystemConsole: Console {
    func isTerminal(_ stream: OutputStream) -> Bool { isatty(stream.rawValue) == 1 }

    var isInputTerminal: Bool { StandardInput.isTerminal }

    func line(isSecret: Bool, after question: String) async -> String? {
        await StandardInput.line(isSecret: isSecret, after: question)
    }

    var columns: Int {
        let columns = Int(clinux_terminal_columns(OutputStream.standardError.rawValue))
        return columns > 0 ? columns : 80
    }

    func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    func contents(of path: String, limit: Int) throws(ShoalError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemConsole.refusal(of: path, because: errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemConsole.refusal(of: path, because: errno) }
            guard count > 0 else { return bytes }
            guard bytes.count + count <= limit else {
                throw ShoalError(
                    .badData,
                    "'\(path)' is larger than \(HumanUnits.size(Int64(limit))); nothing of its kind is"
                )
            }
            bytes += chunk[..<count]
        }
    }

    var programFolder: String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { return nil }
        let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.lastIndex(of: "/").map { String(path[..<$0]) }
    }

    func write(_ bytes: [UInt8], to stream: OutputStream) throws(ShoalError) {
        let code = SystemConsole.writeAll(bytes, to: stream.rawValue)
        guard code == 0 else {
            throw ShoalError(.files, "cannot write the output: \(String(cString: strerror(code)))")
        }
    }

    func save(_ bytes: [UInt8], at path: String) throws(ShoalError) {
        try SystemConsole.checkReplaceable(path)
        let temporary = "\(path).\(getpid()).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SystemConsole.refusal(ofWriting: path, because: errno) }
        var code = SystemConsole.writeAll(bytes, to: descriptor)
        // A full disk may be told as late as here.
        if close(descriptor) != 0, code == 0 { code = errno }
        if code == 0, rename(temporary, path) != 0 { code = errno }
        guard code == 0 else {
            unlink(temporary)
            throw SystemConsole.refusal(ofWriting: path, because: code)
        }
    }

    /// What is saved is a `.torrent`, a bencoded dictionary: it replaces one, never somebody's data under a name that
    /// was given by mistake.
    private static func checkReplaceable(_ path: String) throws(ShoalError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var start: [UInt8] = [0, 0]
        let count = read(descriptor, &start, 2)
        // `d1:`, `d8:`: a dictionary goes on with the length of its first key.
        guard count > 0, start[0] != UInt8(ascii: "d") || !(48...57).contains(start[1]) else { return }
        throw ShoalError(.files, "'\(path)' exists and is no .torrent; choose another name")
    }

    /// Writes everything, waiting for a slow reader.
    ///
    /// - Returns: 0, or the error number.
    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest, rest.count)
            if count >= 0 {
                rest = count == rest.count ? [] : Array(rest.dropFirst(count))
            } else if errno == EAGAIN {
                // Somebody made the stream non-blocking: wait until it takes more.
                var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&request, 1, -1)
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }

    private static func refusal(ofWriting path: String, because code: Int32) -> ShoalError {
        ShoalError(.files, "cannot write '\(path)': \(String(cString: strerror(code)))")
    }

    private static func refusal(of path: String, because code: Int32) -> ShoalError {
        let reason = String(cString: strerror(code))
        return code == ENOENT
            ? ShoalError(.notFound, "there is no file '\(path)'")
            : ShoalError(.files, "cannot read '\(path)': \(reason)")
    }
}
