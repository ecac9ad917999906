import EventLoop
import Metainfo
import PeerWire
import Primitives
import Storage

/// What one peer asked for and was promised.
struct UploadQueue {
    /// Requests in the order they came.
    private(set) var pending: [Block] = []
    /// Bytes that disk workers are reading.
    var bytesReading = 0

    mutating func append(_ block: Block) { pending.append(block) }

    /// Takes a request back; `false` when it is on its way already.
    mutating func remove(_ block: Block) -> Bool {
        guard let index = pending.firstIndex(of: block) else { return false }
        pending.remove(at: index)
        return true
    }

    mutating func removeAll() -> [Block] {
        defer { pending = [] }
        return pending
    }

    /// The next blocks of one piece that lie side by side: one `pread` brings them all.
    mutating func takeRun(bytes limit: Int) -> [Block] {
        guard let first = pending.first else { return [] }
        var count = 1
        var total = Int(first.length)
        while count < pending.count {
            let last = pending[count - 1]
            let next = pending[count]
            guard next.piece == last.piece, next.begin == last.begin &+ last.length,
                total + Int(next.length) <= limit
            else { break }
            total += Int(next.length)
            count += 1
        }
        let run = Array(pending[..<count])
        pending.removeFirst(count)
        return run
    }
}

extension PeerSession {
    /// Bytes read ahead of the socket for one peer: two runs, so that disk and network overlap.
    private static let readAhead = 512 * 1024

    /// What may lie unsent for a peer that does not read (hardening B9).
    private static let maximumUnsent = 4 << 20

    /// Queues one or more messages.
    func send(_ write: (inout ByteWriter) -> Void) {
        guard !isClosed else { return }
        writer.removeAll()
        write(&writer)
        outbox.append(writer.bytes)
        markDirty()
    }

    /// Has what is queued leave at the end of this turn, together.
    func markDirty() {
        guard !isDirty else { return }
        isDirty = true
        core.flushAtEndOfTurn(self)
    }

    /// Writes as much as the socket takes, and keeps the disk ahead of it; under a limit when its turn comes.
    func flush() {
        isDirty = false
        guard let stream, !isClosed, !stream.isConnecting else { return }
        readMore()
        if core.rates.limitsWriting {
            core.rates.waitToWrite(self)
        } else {
            while writeOnce(limit: .max) > 0 {}
        }
        if outbox.byteCount > PeerSession.maximumUnsent { close(.readsNothing) }
    }

    private var hasUnsent: Bool { !outbox.isEmpty || channel.map { $0.sealed.count > 0 } ?? false }

    /// One write of at most `limit` bytes. Returns how many left.
    func writeOnce(limit: Int) -> Int {
        guard let stream, !isClosed else { return 0 }
        guard hasUnsent else {
            stream.wantsWrite = false
            return 0
        }
        switch write(to: stream, limit: limit) {
        case .bytes(let count):
            connection.sent(at: core.now)
            readMore()
            return count
        case .wouldBlock: stream.wantsWrite = true
        case .failed: readOut()
        }
        return 0
    }

    private func write(to stream: TCPStream, limit: Int) -> WriteResult {
        if let channel { return writeSealed(over: channel, to: stream, limit: limit) }
        let result = outbox.withVectors(limit: limit) { stream.write($0) }
        if case .bytes(let count) = result { outbox.sent(count) }
        return result
    }

    /// The peer gets this block as soon as it was read.
    func enqueueUpload(_ block: Block) {
        uploads.append(block)
        markDirty()
    }

    private func readMore() {
        guard let torrent else { return }
        // What waits in the queue delays what we have to say, so that a limit makes the queue shorter.
        let readAhead = min(PeerSession.readAhead, core.rates.writingAhead)
        while !uploads.pending.isEmpty, outbox.byteCount + uploads.bytesReading < readAhead {
            // One `pread` brings it and, with headers between the blocks, one system call sends it.
            let run = uploads.takeRun(bytes: readAhead / 2)
            let byteCount = run.reduce(0) { $0 + Int($1.length) }
            uploads.bytesReading += byteCount
            torrent.read(run, byteCount: byteCount) { [weak self] buffer in
                self?.wasRead(run, byteCount: byteCount, buffer)
            }
        }
    }

    /// A run is in memory: its headers and payloads join the queue.
    private func wasRead(_ run: [Block], byteCount: Int, _ buffer: PieceBuffer?) {
        uploads.bytesReading -= byteCount
        guard !isClosed, let torrent else { return }
        guard let buffer else {
            for block in run { torrent.refuse(block, to: self) }
            return
        }
        var offset = 0
        for block in run {
            writer.removeAll()
            MessageWriter.pieceHeader(block, to: &writer)
            outbox.append(writer.bytes)
            // Safe: the run was read into this buffer from offset 0 on, and the queue keeps it alive.
            let payload = buffer.mutableBytes(offset..<offset + Int(block.length))
            outbox.append(UnsafeRawBufferPointer(payload), owner: buffer)
            offset += Int(block.length)
        }
        sentPayload += Int64(byteCount)
        torrent.uploaded(run, to: self)
        markDirty()
    }
}
