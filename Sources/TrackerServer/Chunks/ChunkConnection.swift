import EventLoop
import Primitives
import TrackerProtocol

/// One client of the text protocol: carries between its socket and `ChunkConversation`.
final class ChunkConnection {
    /// Answers that a client does not read; it asks one question at a time.
    private static let mostUnsent = 1 << 16

    private let loop: Loop
    private let service: ChunkService
    private let stream: ByteStream
    private let timer: Timer
    private var conversation: ChunkConversation

    var client: Endpoint { stream.remoteEndpoint }

    init(_ stream: TCPStream, on loop: Loop, of service: ChunkService) {
        self.loop = loop
        self.service = service
        self.stream = ByteStream(stream)
        timer = Timer(loop: loop)
        conversation = ChunkConversation(with: stream.remoteEndpoint.address, now: loop.now)
        self.stream.handler = self
        timer.handler = self
        timer.start(at: conversation.nextDeadline)
    }

    func close() {
        stream.close()
        timer.close()
        service.ended(self)
    }

    private func perform(_ actions: [ChunkConversation.Action]) {
        for action in actions where stream.isOpen {
            switch action {
            case .heard(let line): service.trace(client, "\(line)")
            case .answer(let answer, let hasLineFeed):
                service.trace(client, "\(answer)")
                stream.send(Array((answer.description + (hasLineFeed ? "\n" : "")).utf8))
            case .refused(let fault): service.trace(client, "REFUSED,\(fault.message)")
            case .close(let fault):
                if let fault { service.trace(client, "CLOSED,\(fault.message)") }
                return stream.closeWhenSent()
            }
        }
        guard stream.isOpen else { return }
        guard stream.unsentByteCount <= ChunkConnection.mostUnsent else { return close() }
        timer.start(at: conversation.nextDeadline)
    }
}

extension ChunkConnection: ByteStreamHandler {
    func connected(_ stream: ByteStream) {}

    func received(_ bytes: [UInt8], from stream: ByteStream) {
        var actions: [ChunkConversation.Action] = []
        conversation.received(bytes.span.bytes, at: loop.now, table: &service.table, into: &actions)
        perform(actions)
    }

    func drained(_ stream: ByteStream) {}

    func inputEnded(_ stream: ByteStream) {
        var actions: [ChunkConversation.Action] = []
        conversation.ended(at: loop.now, table: &service.table, into: &actions)
        perform(actions)
    }

    func closed(_ stream: ByteStream, error: SocketError?) { close() }
}

extension ChunkConnection: TimerHandler {
    func timerFired(_ timer: Timer) {
        var actions: [ChunkConversation.Action] = []
        conversation.advanced(to: loop.now, table: &service.table, into: &actions)
        perform(actions)
    }
}
