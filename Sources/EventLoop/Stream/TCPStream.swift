package import Glibc
package import Primitives

/// Whom a stream tells. A stream whose handler is gone is closed at its next event.
package protocol StreamHandler: AnyObject {
    /// The connection that `connect` began is there.
    func streamConnected(_ stream: TCPStream)
    /// There is something to read: bytes, the end, or an error. Comes again next turn for what is left unread.
    func streamReadable(_ stream: TCPStream)
    /// There is room to write. Comes every turn while `wantsWrite` is set.
    func streamWritable(_ stream: TCPStream)
    /// The connection could not be made; the stream is closed already.
    func streamFailed(_ stream: TCPStream, error: SocketError)
}

/// What one read gave.
package enum ReadResult: Hashable, Sendable {
    /// So many bytes: first those of the first buffer, then of the second.
    case bytes(Int)
    case wouldBlock
    /// The other end is done.
    case closed
    case failed(SocketError)
}

/// What one write took.
package enum WriteResult: Hashable, Sendable {
    case bytes(Int)
    case wouldBlock
    case failed(SocketError)
}

/// A TCP connection.
///
///     connecting ── connected ──▶ established ── close() ──▶ closed
///         └──── refused, timed out (streamFailed) ────────────▲
///
/// Reading and writing are single system calls on the caller's memory; the stream buffers nothing. After `read` or
/// `write` answered `.failed` or `.closed` the owner calls `close()`.
package final class TCPStream: PolledSocket {
    package weak var handler: (any StreamHandler)?
    /// The other end.
    package let remoteEndpoint: Endpoint
    /// Set while connecting.
    private var connectTimer: Timer?

    package var isConnecting: Bool { connectTimer != nil }

    /// An accepted connection; wants to read.
    init(loop: Loop, accepted descriptor: consuming Descriptor, from remote: Endpoint) throws(SocketError) {
        remoteEndpoint = remote
        try super.init(loop: loop, descriptor: descriptor)
        prepare()
        wantsRead = true
    }

    /// A connection under way; wants to write, which is how the kernel tells the end of connecting.
    private init(loop: Loop, connecting descriptor: consuming Descriptor, to remote: Endpoint) throws(SocketError) {
        remoteEndpoint = remote
        try super.init(loop: loop, descriptor: descriptor)
        prepare()
        wantsWrite = true
    }

    /// Requests are small and must not wait for acknowledgements (Nagle's algorithm); we gather writes ourselves.
    private func prepare() {
        Descriptor.set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, to: 1)
    }

    /// Begins to connect; the handler hears `streamConnected` or `streamFailed`, never from inside this call.
    ///
    /// - Parameter local: the end to dial from, usually with port 0: a node that listens on one address dials from it.
    /// - Parameter timeout: the kernel alone would try for two minutes.
    package static func connect(
        loop: Loop,
        to remote: Endpoint,
        from local: Endpoint? = nil,
        timeout: Duration,
        handler: any StreamHandler
    ) throws(SocketError) -> TCPStream {
        let descriptor = try Descriptor.open(.tcp, for: remote.address)
        if let local {
            // Without it, a bind to port 0 takes a port for every destination at once, and they run out early.
            descriptor.set(Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, to: 1)
            try descriptor.bind(to: local, .tcp)
        }
        let number = descriptor.number
        let code = SocketAddress(remote).withPointer { Glibc.connect(number, $0, $1) }
        guard code == 0 || errno == EINPROGRESS else { throw SocketError(errno: errno) }
        let stream = try TCPStream(loop: loop, connecting: descriptor, to: remote)
        stream.handler = handler
        let timer = Timer(loop: loop, handler: stream)
        timer.start(at: loop.now + timeout)
        stream.connectTimer = timer
        return stream
    }

    // MARK: Bytes

    /// One `readv` into the two buffers, either of which may be empty.
    package func read(
        into first: UnsafeMutableRawBufferPointer,
        and second: UnsafeMutableRawBufferPointer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    ) -> ReadResult {
        guard isOpen else { return .failed(.closed) }
        // No room at all would read as the end.
        guard first.count > 0 || second.count > 0 else { return .wouldBlock }
        var vectors = (
            iovec(iov_base: first.baseAddress, iov_len: first.count),
            iovec(iov_base: second.baseAddress, iov_len: second.count)
        )
        // Safe: a tuple of two has the layout of an array of two, and the buffers outlive the call.
        let count = withUnsafeBytes(of: &vectors) { vectors -> Int in
            let vectors = vectors.assumingMemoryBound(to: iovec.self)
            while true {
                let count = readv(descriptor, vectors.baseAddress, 2)
                if count >= 0 || errno != EINTR { return count }
            }
        }
        if count > 0 { return .bytes(count) }
        if count == 0 { return .closed }
        return errno == EAGAIN ? .wouldBlock : .failed(SocketError(errno: errno))
    }

    /// One gathered write of the pieces, the first 1,024 (IOV_MAX) of them; it may take any part.
    package func write(_ pieces: UnsafeBufferPointer<iovec>) -> WriteResult {
        guard isOpen else { return .failed(.closed) }
        guard !pieces.isEmpty else { return .bytes(0) }
        var message = msghdr()
        // The kernel does not write to a vector that it sends from.
        message.msg_iov = UnsafeMutablePointer(mutating: pieces.baseAddress)
        message.msg_iovlen = min(pieces.count, TCPStream.mostPiecesPerWrite)
        while true {
            let count = sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL))
            if count >= 0 { return .bytes(count) }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .wouldBlock : .failed(SocketError(errno: errno))
        }
    }

    /// One write of bytes that lie together; it may take any part.
    package func write(_ bytes: UnsafeRawBufferPointer) -> WriteResult {
        // The kernel does not write to what it sends from.
        var vector = iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
        // Safe: one vector is a buffer of one, and the bytes outlive the call.
        return withUnsafePointer(to: &vector) { write(UnsafeBufferPointer(start: $0, count: 1)) }
    }

    /// IOV_MAX of Linux.
    package static let mostPiecesPerWrite = 1024

    // MARK: Events

    package override func close() {
        connectTimer?.close()
        connectTimer = nil
        super.close()
    }

    override func ready(toRead: Bool, toWrite: Bool) {
        guard let handler else { return close() }
        guard !isConnecting else { return finishConnecting(handler) }
        if toRead, wantsRead { handler.streamReadable(self) }
        if toWrite, wantsWrite, isOpen { handler.streamWritable(self) }
    }

    private func finishConnecting(_ handler: any StreamHandler) {
        let error = Descriptor.takeError(of: descriptor)
        guard error == 0 else { return fail(SocketError(errno: error), handler) }
        // A dial to a free port of this machine may pick that port for itself and reach itself.
        guard localEndpoint != remoteEndpoint else { return fail(.refused, handler) }
        connectTimer?.close()
        connectTimer = nil
        wantsWrite = false
        wantsRead = true
        handler.streamConnected(self)
    }

    private func fail(_ error: SocketError, _ handler: any StreamHandler) {
        close()
        handler.streamFailed(self, error: error)
    }
}

extension TCPStream: TimerHandler {
    /// The time for connecting is over.
    package func timerFired(_ timer: Timer) {
        guard isConnecting else { return }
        guard let handler else { return close() }
        fail(.timedOut, handler)
    }
}
