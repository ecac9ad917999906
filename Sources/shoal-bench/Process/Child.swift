import Glibc
import Primitives

/// A process that we start, whose standard output we read, and whose end we wait for.
final class Child {
    private let name: String
    private let process: pid_t
    private let output: Int32
    private let clock = ContinuousClock()
    private let startedAt: ContinuousClock.Instant
    private var hasEnded = false

    /// - Parameter words: the path of the program and its arguments.
    init(_ words: [String]) throws(BenchError) {
        name = words.joined(separator: " ")
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .failed("no pipe: \(systemError())") }
        // Else the child would hold the reading end, and the other one a second time.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        startedAt = clock.now
        let process = Child.spawn(words, output: ends[1])
        close(ends[1])
        guard let process else {
            close(ends[0])
            throw .failed("cannot run \(words[0]): \(systemError())")
        }
        self.process = process
        output = ends[0]
    }

    deinit {
        close(output)
        guard !hasEnded else { return }
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
    }

    /// Hands on each line of its output with the seconds since the start, until there are no more.
    func readLines(_ handle: (String, Double) -> Void) {
        var line: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 4096)
        while case let count = read(output, &bytes, bytes.count), count != 0 {
            guard count > 0 else {
                if errno == EINTR { continue }
                return
            }
            let seconds = (clock.now - startedAt).inSeconds
            for byte in bytes[..<count] {
                if byte == UInt8(ascii: "\n") {
                    handle(String(decoding: line, as: UTF8.self), seconds)
                    line.removeAll(keepingCapacity: true)
                } else {
                    line.append(byte)
                }
            }
        }
    }

    /// Waits for its end.
    ///
    /// - Returns: how long it ran.
    func seconds(expecting code: Int32) throws(BenchError) -> Double {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { throw .failed("cannot wait for \(name): \(systemError())") }
        }
        let seconds = (clock.now - startedAt).inSeconds
        hasEnded = true
        // Ctrl-C reaches the child as well.
        try Interruption.check()
        // The two halves of a wait status: the signal that ended it, and its exit code.
        guard status & 0x7f == 0, status >> 8 & 0xff == code else {
            throw .failed("\(name) ended with status \(status)")
        }
        return seconds
    }

    private static func spawn(_ words: [String], output: Int32) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        let arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        // No environment: what the person set for `shoal` is not to be measured.
        let environment = [strdup("PATH=/usr/bin:/bin"), nil]
        defer { free(environment[0]) }
        var process = pid_t()
        let code = posix_spawn(&process, words[0], &actions, nil, arguments, environment)
        errno = code
        return code == 0 ? process : nil
    }
}
