import Glibc
import Synchronization

/// A real PostgreSQL server in a temporary folder, for the tests of one process; it ends with the process, however that
/// ends.
///
/// PostgreSQL refuses to run as root, so root gives its rights up first. It listens on a socket in its folder alone.
package final class PostgresServer: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Started at the first use, which takes one or two seconds.
    package static func shared() throws -> PostgresServer { try first.get() }

    private static let first = Result<PostgresServer, any Error> { try PostgresServer() }

    /// Where Debian keeps its programs: the latest of them, or `nil` without PostgreSQL.
    package static let programs: String? = (13...19).reversed().lazy.map { "/usr/lib/postgresql/\($0)/bin" }
        .first { access($0 + "/initdb", X_OK) == 0 && access("/usr/bin/setpriv", X_OK) == 0 }

    private let folder: String
    private let schemas = Atomic<Int>(0)

    private init() throws {
        guard let programs = PostgresServer.programs else { throw Failure(description: "no PostgreSQL is installed") }
        var template = Array("/tmp/shoal-postgres-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(description: "no folder, error \(errno)") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if geteuid() == 0 { chown(folder, PostgresServer.nobody, PostgresServer.nobody) }
        let script = """
            cd \(folder) && \(programs)/initdb -D data -U shoal -A trust -E UTF8 --locale=C --no-sync >initdb.log 2>&1 &&
            exec \(programs)/postgres -D data -k \(folder) -h '' -c fsync=off -c full_page_writes=off \
                -c shared_buffers=16MB -c max_connections=64 -c autovacuum=off
            """
        let start = Start()
        let thread = Thread(script: script, start: start)
        // A thread of its own, which lives as long as the process: the server's life hangs on the thread that made it.
        try thread.begin()
        let text = start.wait()
        guard text.contains(PostgresServer.readiness) else { throw Failure(description: "PostgreSQL: \(text)") }
        PostgresServer.leftover.withLock { $0 = (start.process, folder) }
        atexit { PostgresServer.end() }
    }

    /// The URL of a schema that nobody else uses; it ends with the name, which connections have too.
    package func makeURL() throws -> String {
        let name = "s\(schemas.add(1, ordering: .relaxed).newValue)"
        try run("CREATE SCHEMA \(name)")
        return "postgres://shoal@/postgres?host=\(folder)&application_name=\(name)&options=-csearch_path%3D\(name)"
    }

    /// Runs one statement as somebody else would.
    package func run(_ statement: String) throws {
        let psql = (PostgresServer.programs ?? "") + "/psql"
        let arguments = [psql, "-X", "-q", "-h", folder, "-U", "shoal", "-d", "postgres", "-c", statement]
        var process: pid_t = 0
        var status: Int32 = 0
        guard Spawning.spawn(arguments, errors: nil, &process) == 0, waitpid(process, &status, 0) == process,
            status == 0
        else { throw Failure(description: "psql failed at: \(statement)") }
    }

    // MARK: Life

    private static let nobody: UInt32 = 65534
    private static let readiness = "ready to accept connections"
    private static let leftover = Mutex<(process: pid_t, folder: String)?>(nil)

    /// At the end of the process: stops the server and removes its folder.
    private static func end() {
        guard let (process, folder) = leftover.withLock({ $0.take() }) else { return }
        kill(process, SIGQUIT)
        // Its thread waits for it too, and one of the two is told; the server is gone for both.
        while kill(process, 0) == 0 { waitpid(process, nil, 0) }
        var rm: pid_t = 0
        if Spawning.spawn(["/bin/rm", "-rf", folder], errors: nil, &rm) == 0 { waitpid(rm, nil, 0) }
    }

    /// What the server's thread tells the one that waits for it.
    private final class Start: Sendable {
        private let state = Mutex<(process: pid_t, text: String?)>((0, nil))
        private let isOver: Int32
        private let over: Int32

        init() {
            (isOver, over) = Spawning.makePipe()
        }

        var process: pid_t { state.withLock { $0.process } }

        func end(process: pid_t, text: String) {
            state.withLock { $0 = (process, text) }
            close(over)
        }

        func wait() -> String {
            var byte: UInt8 = 0
            _ = read(isOver, &byte, 1)
            close(isOver)
            return state.withLock { $0.text ?? "" }
        }
    }

    private final class Thread: Sendable {
        private let script: String
        private let start: Start

        init(script: String, start: Start) {
            self.script = script
            self.start = start
        }

        func begin() throws {
            var thread = pthread_t()
            let code = pthread_create(
                &thread,
                nil,
                { argument in
                    // Balanced by `passRetained` below.
                    if let argument { Unmanaged<Thread>.fromOpaque(argument).takeRetainedValue().run() }
                    return nil
                },
                Unmanaged.passRetained(self).toOpaque()
            )
            guard code == 0 else { throw Failure(description: "no thread, error \(code)") }
            pthread_detach(thread)
        }

        private func run() {
            var arguments = ["/usr/bin/setpriv", "--pdeathsig=QUIT"]
            if geteuid() == 0 { arguments += ["--reuid=\(nobody)", "--regid=\(nobody)", "--clear-groups"] }
            let (text, end) = Spawning.makePipe()
            var process: pid_t = 0
            let code = Spawning.spawn(arguments + ["/bin/sh", "-c", script], errors: end, &process)
            close(end)
            var said = code == 0 ? "" : "error \(code)"
            var isReady = false
            var buffer = [UInt8](repeating: 0, count: 4096)
            // Read to the end: a full pipe would stop the server.
            while true {
                let count = read(text, &buffer, buffer.count)
                guard count > 0 else { break }
                guard !isReady else { continue }
                said += String(decoding: buffer.prefix(count), as: UTF8.self)
                isReady = said.contains(readiness)
                if isReady { start.end(process: process, text: said) }
            }
            if !isReady { start.end(process: process, text: said) }
            waitpid(process, nil, 0)
        }
    }

    private enum Spawning {
        /// The end to read from and the end to write to; no other program inherits them.
        static func makePipe() -> (Int32, Int32) {
            var ends: [Int32] = [-1, -1]
            pipe(&ends)
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            return (ends[0], ends[1])
        }

        /// - Parameter errors: where standard error goes; `nil` for nowhere.
        /// - Returns: 0 or an errno.
        static func spawn(_ arguments: [String], errors: Int32?, _ process: inout pid_t) -> Int32 {
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            defer { posix_spawn_file_actions_destroy(&actions) }
            posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
            posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
            if let errors {
                posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
            } else {
                posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
            }
            var words = arguments.map { strdup($0) } + [nil]
            defer { for word in words { free(word) } }
            return posix_spawn(&process, arguments[0], &actions, nil, &words, environ)
        }
    }
}
