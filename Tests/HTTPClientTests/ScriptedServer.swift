import EventLoop
import Glibc
import Primitives
import TestSupport

/// What the server of a test does after a request.
enum Answer {
    case bytes(String)
    /// The bytes, and nothing more, with the connection left open.
    case bytesWithoutEnd(String)
    /// The first text, then the second again and again.
    case endless(String, again: String)
    case silence
}

/// An HTTP server that says what a test tells it to, right or wrong.
final class ScriptedServer: StreamListenerHandler, StreamHandler {
    let endpoint: Endpoint
    /// The heads of the requests.
    let requests = EventLog<String>()
    var onAccept: ((Endpoint) -> Void)?
    /// What it says before it is asked.
    var greets = ""
    private let listener: StreamListener
    private let answer: (String) -> Answer
    private var heads: [ObjectIdentifier: [UInt8]] = [:]
    private var streams: [ObjectIdentifier: TCPStream] = [:]
    private var repeats: [ObjectIdentifier: [UInt8]] = [:]

    init(
        loop: Loop,
        at address: IPAddress = .loopbackV4,
        answer: @escaping (String) -> Answer
    ) throws {
        listener = try StreamListener(loop: loop, endpoint: Endpoint(address, 0))
        endpoint = listener.localEndpoint ?? Endpoint(address, 0)
        self.answer = answer
        listener.handler = self
    }

    var url: String { "http://\(endpoint)" }

    func close() {
        listener.close()
        for stream in streams.values { stream.close() }
        streams = [:]
    }

    func listener(_ listener: StreamListener, accepted stream: TCPStream, from remote: Endpoint) {
        onAccept?(remote)
        stream.handler = self
        streams[ObjectIdentifier(stream)] = stream
        write(Array(greets.utf8), to: stream)
    }

    func streamReadable(_ stream: TCPStream) {
        let key = ObjectIdentifier(stream)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var none: [UInt8] = []
        let result = buffer.withUnsafeMutableBytes { buffer in
            none.withUnsafeMutableBytes { stream.read(into: buffer, and: $0) }
        }
        guard case .bytes(let count) = result else {
            if result != .wouldBlock { finish(stream) }
            return
        }
        heads[key, default: []] += buffer.prefix(count)
        let text = String(decoding: heads[key] ?? [], as: UTF8.self)
        guard text.contains("\r\n\r\n") else { return }
        heads[key] = nil
        requests.record(text)
        answer(text, on: stream)
    }

    private func answer(_ request: String, on stream: TCPStream) {
        switch answer(request) {
        case .bytes(let text):
            write(Array(text.utf8), to: stream)
            finish(stream)
        case .bytesWithoutEnd(let text): write(Array(text.utf8), to: stream)
        case .endless(let text, let again):
            write(Array(text.utf8), to: stream)
            repeats[ObjectIdentifier(stream)] = Array(again.utf8)
            stream.wantsWrite = true
        case .silence: break
        }
    }

    func streamWritable(_ stream: TCPStream) {
        guard let again = repeats[ObjectIdentifier(stream)] else { return }
        write(again, to: stream)
    }

    func streamConnected(_ stream: TCPStream) {}
    func streamFailed(_ stream: TCPStream, error: SocketError) {}

    private func finish(_ stream: TCPStream) {
        stream.close()
        streams[ObjectIdentifier(stream)] = nil
        repeats[ObjectIdentifier(stream)] = nil
    }

    private func write(_ bytes: [UInt8], to stream: TCPStream) {
        bytes.withUnsafeBytes { bytes in
            let base = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
            let vectors = [iovec(iov_base: base, iov_len: bytes.count)]
            if case .failed = vectors.withUnsafeBufferPointer({ stream.write($0) }) { finish(stream) }
        }
    }
}

/// The text of a reply with a body.
func reply(_ body: String, status: String = "200 OK", _ headers: String...) -> Answer {
    let lines = ["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + headers
    return .bytes(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
}

/// The text of a redirect.
func redirect(to location: String) -> Answer {
    reply("", status: "302 Found", "Location: \(location)")
}
