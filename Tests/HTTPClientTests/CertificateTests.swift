import EventLoop
import Glibc
import HTTPClient
import Primitives
import TestSupport
import Testing

/// `openssl s_server` with a certificate of its own, ended with the object.
private final class SecureServer: Sendable {
    let port: UInt16
    let certificate: String
    private let folder: TemporaryFolder
    private let process: pid_t

    /// - Parameter files: answers, headers and all, by the names they are asked for by; without any it tells of the
    ///   connection.
    init(name: String, files: [String: String] = [:]) throws {
        folder = try TemporaryFolder()
        for (name, text) in files { try folder.write(Array(text.utf8), to: name) }
        let key = folder.path("key.pem")
        certificate = folder.path("certificate.pem")
        let make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=\(name)"
        let (maker, _) = try SecureServer.openssl(
            make.components(" ") + ["-addext", "subjectAltName=\(name)", "-keyout", key, "-out", certificate]
        )
        var status: Int32 = 0
        waitpid(maker, &status, 0)
        let kind = files.isEmpty ? "-www" : "-HTTP"
        let serve = "s_server -accept 127.0.0.1:0 \(kind) -key \(key) -cert \(certificate)"
        let (process, output) = try SecureServer.openssl(serve.components(" "), in: folder.root)
        self.process = process
        port = SecureServer.port(from: output)
    }

    deinit {
        // It inherits the signal mask of the thread that started it, which may keep others out.
        kill(process, SIGKILL)
        var status: Int32 = 0
        waitpid(process, &status, 0)
    }

    /// Starts it; what it prints is read from the descriptor.
    private static func openssl(_ arguments: [String], in folder: String = "/") throws -> (pid_t, Int32) {
        var ends: [Int32] = [0, 0]
        pipe(&ends)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        var process = pid_t()
        let script = ["sh", "-c", "cd \"$0\" && exec openssl \"$@\"", folder] + arguments
        var words = script.map { strdup($0) } + [nil]
        let code = posix_spawnp(&process, "sh", &actions, nil, &words, environ)
        for word in words { free(word) }
        posix_spawn_file_actions_destroy(&actions)
        close(ends[1])
        try #require(code == 0, "openssl cannot be started")
        return (process, ends[0])
    }

    /// It prints `ACCEPT 127.0.0.1:PORT` once it listens.
    private static func port(from output: Int32) -> UInt16 {
        var line = ""
        var byte: UInt8 = 0
        while read(output, &byte, 1) == 1 {
            if byte != 10 {
                line.unicodeScalars.append(Unicode.Scalar(byte))
            } else if line.hasPrefix("ACCEPT") {
                return line.components(":").last.flatMap { UInt16($0) } ?? 0
            } else {
                line = ""
            }
        }
        return 0
    }
}

@Suite("HTTP client and certificates")
struct CertificateTests {
    private func visit(
        _ server: SecureServer,
        _ path: String = "",
        trusting authorities: String?
    ) async throws -> Outcome {
        try await withStage { stage async throws in
            let log = EventLog<Outcome>()
            try await stage.perform { stage in
                let client = try HTTPClient(loop: stage.loop, authorities: authorities)
                stage.keep(client)
                client.send(HTTPClientRequest(url: "https://127.0.0.1:\(server.port)/\(path)")) { log.record($0) }
            }
            return try await log.next()
        }
    }

    @Test("a certificate that a trusted authority signed for the host is taken, and only such a one")
    func certificates() async throws {
        let right = try SecureServer(name: "IP:127.0.0.1")
        #expect(try await visit(right, trusting: right.certificate).failure == "status 200")
        let strange = try await visit(right, trusting: nil).failure
        #expect(strange.hasPrefix("the certificate of the server is not to be trusted: "))
        #expect(strange.contains("self-signed certificate"))
        let wrong = try SecureServer(name: "DNS:tracker.example")
        let other = try await visit(wrong, trusting: wrong.certificate).failure
        #expect(other.contains("does not match target host name") || other.contains("no alternative certificate"))
    }

    @Test("who asked by https is not sent on to http, where a passkey could be read")
    func downgrade() async throws {
        let head = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
        let server = try SecureServer(name: "IP:127.0.0.1", files: ["announce": head])
        let words = try await visit(server, "announce", trusting: server.certificate).failure
        #expect(words == "redirected to a URL that is not http or https, or from https to http")
    }

    @Test("a server that speaks no TLS is told apart")
    func plain() async throws {
        let words = try await outcome { visit in
            let server = try visit.serve { _ in .silence }
            server.greets = "SSH-2.0-x\r\n"
            return HTTPClientRequest(url: "https://\(server.endpoint)/")
        }.failure
        #expect(words.hasPrefix("no secure connection could be made"))
    }
}
