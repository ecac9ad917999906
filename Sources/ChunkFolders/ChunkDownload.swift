import EventLoop
import Primitives
import Storage
import TrackerProtocol

/// Fetches one chunk from one holder: a request, and all that comes until the connection ends.
///
///     connecting ── request ──▶ receiving ── end ──▶ checking ──▶ over
///          └────────── refused, silent, too long, wrong ────────────▲
final class ChunkDownload {
    enum Outcome {
        /// It lies in the folder by that name; the list does not say so yet.
        case stored(name: String, hash: SHA1Digest)
        case failed(ChunkFetcher.Failure, reason: String)
        /// Our own disk.
        case storage(StorageError)
    }

    private static let connectTimeout: Duration = .seconds(5)
    /// How long a holder may send nothing.
    private static let patience: Duration = .seconds(10)
    /// What may wait for the disk before the holder has to.
    private static let mostWaiting = 1 << 20

    let chunk: Int
    let holder: ChunkTable.Holder
    private let expected: SHA1Digest?
    private let loop: Loop
    private let workers: DiskWorkers
    private let stream: ByteStream
    private let timer: Timer
    private var draft: (draft: FileDraft, name: String)?
    private var waiting: [UInt8] = []
    private var byteCount: Int64 = 0
    private var isWriting = false
    private var hasEnded = false
    private var completion: ((Outcome) -> Void)?

    /// - Parameter completion: called once, never from inside this call.
    init(
        _ chunk: Int,
        from holder: ChunkTable.Holder,
        expecting hash: SHA1Digest?,
        into folder: ChunkFolder,
        on loop: Loop,
        _ workers: DiskWorkers,
        completion: @escaping (Outcome) -> Void
    ) throws(SocketError) {
        self.chunk = chunk
        self.holder = holder
        expected = hash
        self.loop = loop
        self.workers = workers
        timer = Timer(loop: loop)
        stream = try ByteStream(loop: loop, to: holder.endpoint, timeout: ChunkDownload.connectTimeout)
        self.completion = completion
        stream.handler = self
        timer.handler = self
        isWriting = true
        workers.submit {
            Result { () throws(StorageError) in try folder.draft(of: chunk) }
        } then: { [weak self] result in
            self?.opened(result)
        }
    }

    func cancel() {
        completion = nil
        close()
    }

    private func close() {
        stream.close()
        timer.close()
    }

    private func finish(_ outcome: Outcome) {
        close()
        guard let completion else { return }
        self.completion = nil
        completion(outcome)
    }

    private func opened(_ result: Result<(draft: FileDraft, name: String), StorageError>) {
        isWriting = false
        switch result {
        case .success(let opened): draft = opened
        case .failure(let error): return finish(.storage(error))
        }
        write()
    }

    /// Gives what came to the disk, one part at a time so that they stay in order.
    private func write() {
        guard !isWriting, let draft, completion != nil else { return }
        guard !waiting.isEmpty else {
            if hasEnded { check(draft.draft, draft.name) }
            return
        }
        let bytes = waiting
        waiting = []
        isWriting = true
        workers.submit {
            Result { () throws(StorageError) in try draft.draft.append(bytes) }
        } then: {
            [weak self] result in
            guard let self else { return }
            isWriting = false
            if case .failure(let error) = result { return finish(.storage(error)) }
            if !hasEnded { stream.isPaused = false }
            write()
        }
    }

    private func check(_ draft: FileDraft, _ name: String) {
        isWriting = true
        let (expected, byteCount) = (expected, byteCount)
        workers.submit { () -> Result<SHA1Digest?, StorageError> in
            Result { () throws(StorageError) in
                let hash = draft.digest()
                // Without a hash nobody can tell an empty chunk from "I have none".
                guard expected.map({ $0 == hash }) ?? (byteCount > 0) else { return nil }
                try draft.commit(replacing: false)
                return hash
            }
        } then: { [weak self] result in
            switch result {
            case .failure(let error): self?.finish(.storage(error))
            case .success(let hash?): self?.finish(.stored(name: name, hash: hash))
            case .success(nil) where byteCount == 0:
                self?.finish(.failed(.notThere, reason: "it sent nothing"))
            case .success(nil):
                self?.finish(.failed(.wrong, reason: "its \(byteCount) bytes do not have the hash of the chunk"))
            }
        }
    }
}

extension ChunkDownload: ByteStreamHandler {
    func connected(_ stream: ByteStream) {
        // Clients that have a name read line feeds; old ones take the end of the segment for the end of the request.
        let request = ChunkLine.requests(chunk: chunk).description + (holder.name == nil ? "" : "\n")
        stream.send(Array(request.utf8))
        timer.start(at: loop.now + ChunkDownload.patience)
    }

    func received(_ bytes: [UInt8], from stream: ByteStream) {
        byteCount += Int64(bytes.count)
        guard byteCount <= ChunkFolder.mostChunkBytes else {
            return finish(.failed(.wrong, reason: "it sends more than a chunk may have"))
        }
        timer.start(at: loop.now + ChunkDownload.patience)
        waiting += bytes
        stream.isPaused = waiting.count >= ChunkDownload.mostWaiting
        write()
    }

    func drained(_ stream: ByteStream) {}

    func inputEnded(_ stream: ByteStream) {
        hasEnded = true
        close()
        write()
    }

    func closed(_ stream: ByteStream, error: SocketError?) {
        finish(.failed(.unreachable, reason: error.map { "\($0)" } ?? "the connection ended"))
    }
}

extension ChunkDownload: TimerHandler {
    func timerFired(_ timer: Timer) { finish(.failed(.unreachable, reason: "it is silent")) }
}
