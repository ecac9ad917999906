import EventLoop
import HTTPServer
import Primitives
import TestSupport
import Testing

/// A server whose answers say what was asked.
///
/// `/later` answers when `answerLater` is called, `/long` with a MiB, all else with method, target and body; bodies are
/// let in at `/body`, up to 100 bytes, and at `/long`, up to a MiB.
final class House: HTTPHandler {
    let address: String
    let asked = EventLog<String>()
    private(set) var server: HTTPServer?
    private let listener: StreamListener
    private var late: [HTTPExchange] = []

    init(loop: Loop, limits: HTTPLimits) throws {
        listener = try StreamListener(loop: loop, endpoint: Endpoint(.loopbackV4, 0))
        address = listener.localEndpoint?.description ?? ""
        server = try HTTPServer(loop: loop, listeners: [listener], limits: limits, handler: self)
    }

    func close() {
        server?.close()
        listener.close()
    }

    func answerLater() {
        let exchanges = late
        late = []
        for exchange in exchanges { exchange.send(HTTPResponse(status: 200, text: "at last")) }
    }

    func mostBodyBytes(of request: HTTPRequest) -> Int? {
        if request.path.elementsEqual("/long".utf8) { return 1 << 20 }
        return request.path.elementsEqual("/body".utf8) ? 100 : nil
    }

    func respond(to request: HTTPRequest, through exchange: HTTPExchange) {
        let target = String(decoding: request.target, as: UTF8.self)
        asked.record(target)
        guard !target.hasPrefix("/later") else { return late.append(exchange) }
        if target == "/long" {
            return exchange.send(HTTPResponse(status: 200, text: String(repeating: "x", count: 1 << 20)))
        }
        let body = String(decoding: request.body, as: UTF8.self)
        var response = HTTPResponse(status: 200, text: "\(request.method.rawValue) \(target) \(body)")
        response.headers = [
            .init("X-Said", exchange.header("x-say") ?? "nothing"),
            .init("X-Client", request.sender.address.description),
        ]
        exchange.send(response)
    }
}

/// Runs a server, and hands over where it is.
func withHouse<Result: Sendable>(
    _ limits: HTTPLimits = HTTPLimits(),
    _ body: @escaping @Sendable (Stage, Shared<House>) async throws -> Result
) async throws -> Result {
    try await withStage { stage async throws in
        let house = try await stage.perform { stage in
            Shared(stage.keep(try House(loop: stage.loop, limits: limits)))
        }
        let result = try await body(stage, house)
        await stage.perform { _ in house.value.close() }
        return result
    }
}

/// One reply as it came.
struct Reply: Hashable, Sendable {
    var status: Int
    var headers: [String: String] = [:]
    var body: String

    static func == (left: Reply, right: Reply) -> Bool { left.status == right.status && left.body == right.body }
}

extension RawConnection {
    func say(_ text: String) { send(Array(text.utf8)) }

    /// One reply, `nil` if the other end closes first.
    func hear() -> Reply? {
        var head: [UInt8] = []
        while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            guard let byte = receive(1) else { return nil }
            head += byte
        }
        let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n").map(String.init)
        var reply = Reply(status: Int(lines[0].split(separator: " ")[1]) ?? 0, body: "")
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            reply.headers[line[..<colon].lowercased()] = String(line[colon...].dropFirst(2))
        }
        let length = reply.headers["content-length"].flatMap { Int($0) } ?? 0
        guard let body = receive(length) else { return nil }
        reply.body = String(decoding: body, as: UTF8.self)
        return reply
    }

    func get(_ target: String, _ headers: String = "") -> Reply? {
        say("GET \(target) HTTP/1.1\r\nHost: x\r\n\(headers)\r\n")
        return hear()
    }
}

/// Plays a client on a thread of its own, for its calls block.
func play<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    let log = EventLog<Swift.Result<Result, any Error>>()
    RawListener.start { log.record(Swift.Result { try body() }) }
    return try await log.next().get()
}
