import EventLoop
import Primitives
import Storage
import TrackerProtocol

/// Serves one connection: reads one request, sends the bytes, closes.
final class ChunkUpload {
    /// How long somebody may take to say what they want, and then to take anything.
    private static let patience: Duration = .seconds(10)
    private static let patienceWhileSending: Duration = .seconds(60)

    private let loop: Loop
    private let workers: DiskWorkers
    private let stream: ByteStream
    private let timer: Timer
    private let folder: () -> ChunkFolder
    private var reader = ChunkLineReader()
    private let giveUp: Instant
    private var chunk: Int?
    private var file: FlatFile?
    private var offset: Int64 = 0
    /// Told of what was asked and at the end.
    private let asked: (Int) -> Void
    private var completion: (() -> Void)?

    var remoteEndpoint: Endpoint { stream.remoteEndpoint }

    /// - Parameter folder: as it is when a request comes.
    init(
        _ stream: TCPStream,
        on loop: Loop,
        _ workers: DiskWorkers,
        folder: @escaping () -> ChunkFolder,
        asked: @escaping (Int) -> Void,
        completion: @escaping () -> Void
    ) {
        self.loop = loop
        self.workers = workers
        self.folder = folder
        self.asked = asked
        self.completion = completion
        self.stream = ByteStream(stream)
        timer = Timer(loop: loop)
        giveUp = loop.now + ChunkUpload.patience
        self.stream.handler = self
        timer.handler = self
        timer.start(at: giveUp)
    }

    func close() {
        stream.close()
        timer.close()
        completion?()
        completion = nil
    }

    private func read(_ body: (inout ChunkLineReader, inout [ChunkLineReader.Message]) throws(ChunkFault) -> Void) {
        guard chunk == nil else { return }
        var messages: [ChunkLineReader.Message] = []
        do throws(ChunkFault) {
            try body(&reader, &messages)
        } catch {
            return close()
        }
        guard let message = messages.first else {
            timer.start(at: min(giveUp, reader.nextDeadline ?? giveUp))
            return
        }
        guard case .requests(let chunk) = message.line else { return close() }
        self.chunk = chunk
        stream.isPaused = true
        timer.start(at: loop.now + ChunkUpload.patienceWhileSending)
        asked(chunk)
        open(chunk)
    }

    private func open(_ chunk: Int) {
        let folder = folder()
        guard folder.list.files[chunk] != nil else { return close() }
        workers.submit {
            try? folder.open(chunk)
        } then: { [weak self] file in
            guard let self, stream.isOpen else { return }
            guard let file else { return close() }
            self.file = file
            sendMore()
        }
    }

    private func sendMore() {
        guard let file, stream.isOpen else { return }
        let offset = offset
        guard offset < file.byteCount else {
            self.file = nil
            return stream.closeWhenSent()
        }
        workers.submit {
            try? file.read(at: offset, count: ChunkFolder.stepByteCount)
        } then: { [weak self] bytes in
            guard let self, stream.isOpen else { return }
            guard let bytes, !bytes.isEmpty else { return close() }
            self.offset += Int64(bytes.count)
            timer.start(at: loop.now + ChunkUpload.patienceWhileSending)
            stream.send(bytes)
            if stream.unsentByteCount == 0 { sendMore() }
        }
    }
}

extension ChunkUpload: ByteStreamHandler {
    func connected(_ stream: ByteStream) {}

    func received(_ bytes: [UInt8], from stream: ByteStream) {
        let now = loop.now
        read { (reader, messages) throws(ChunkFault) in
            try reader.received(bytes.span.bytes, at: now, into: &messages)
        }
    }

    func drained(_ stream: ByteStream) { sendMore() }

    func inputEnded(_ stream: ByteStream) {
        guard chunk == nil else { return }
        read { (reader, messages) throws(ChunkFault) in try reader.ended(into: &messages) }
        if chunk == nil { close() }
    }

    func closed(_ stream: ByteStream, error: SocketError?) { close() }
}

extension ChunkUpload: TimerHandler {
    func timerFired(_ timer: Timer) {
        let now = loop.now
        guard chunk == nil, now < giveUp else { return close() }
        read { (reader, messages) throws(ChunkFault) in try reader.advanced(to: now, into: &messages) }
    }
}
