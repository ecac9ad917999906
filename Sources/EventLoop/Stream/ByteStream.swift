package import Primitives

/// Whom a byte stream tells. Nothing is said after `closed`, nor after a call of `close`.
package protocol ByteStreamHandler: AnyObject {
    /// The connection that `connect` began is there.
    func connected(_ stream: ByteStream)
    func received(_ bytes: [UInt8], from stream: ByteStream)
    /// All that was queued has left.
    func drained(_ stream: ByteStream)
    /// The other end sends nothing more; it may still read. The owner closes.
    func inputEnded(_ stream: ByteStream)
    /// It was closed as `closeWhenSent` asked, or could not be made, or broke.
    func closed(_ stream: ByteStream, error: SocketError?)
}

/// A TCP connection for protocols of few words: hands over what comes, and queues what goes.
///
/// Sessions with peers have drivers of their own, which copy less.
package final class ByteStream {
    package weak var handler: (any ByteStreamHandler)?
    package let remoteEndpoint: Endpoint
    private let incoming = StreamBuffer(capacity: 1 << 16)
    private let outgoing = SendQueue()
    private var stream: TCPStream?
    private var closesWhenSent = false

    /// Takes an accepted connection.
    package init(_ stream: TCPStream) {
        self.stream = stream
        remoteEndpoint = stream.remoteEndpoint
        stream.handler = self
    }

    /// Begins to connect.
    package init(loop: Loop, to remote: Endpoint, timeout: Duration) throws(SocketError) {
        remoteEndpoint = remote
        stream = try TCPStream.connect(loop: loop, to: remote, timeout: timeout, handler: self)
    }

    package var isOpen: Bool { stream != nil }

    /// Bytes that wait for the other end.
    package var unsentByteCount: Int { outgoing.byteCount }

    /// Whether what comes waits in the kernel.
    package var isPaused = false {
        didSet { stream?.wantsRead = !isPaused && stream?.isConnecting == false }
    }

    package func send(_ bytes: [UInt8]) {
        outgoing.append(bytes)
        write()
    }

    package func close() {
        stream?.close()
        stream = nil
    }

    /// Closes once all that was queued has left.
    package func closeWhenSent() {
        closesWhenSent = true
        if outgoing.isEmpty { finish() }
    }

    private func write() {
        guard let stream, !stream.isConnecting else { return }
        while !outgoing.isEmpty {
            switch outgoing.withVectors(limit: 1 << 20, { stream.write($0) }) {
            case .bytes(let count): outgoing.sent(count)
            case .wouldBlock:
                stream.wantsWrite = true
                return
            case .failed(let error): return end(error)
            }
        }
        stream.wantsWrite = false
        if closesWhenSent { finish() }
    }

    /// What is left unread at a close makes the kernel reset the connection, and the other end lose what was sent.
    private func finish() {
        if let stream { _ = stream.read(into: incoming.room(limit: 1 << 16)) }
        end(nil)
    }

    private func end(_ error: SocketError?) {
        guard stream != nil else { return }
        close()
        handler?.closed(self, error: error)
    }
}

extension ByteStream: StreamHandler {
    package func streamConnected(_ stream: TCPStream) {
        stream.wantsRead = !isPaused
        handler?.connected(self)
        write()
    }

    package func streamReadable(_ stream: TCPStream) {
        switch stream.read(into: incoming.room(limit: 1 << 16)) {
        case .bytes(let count):
            incoming.arrived(count)
            let bytes = [UInt8](incoming.unread)
            incoming.consume(bytes.count)
            handler?.received(bytes, from: self)
        case .wouldBlock: return
        case .closed:
            stream.wantsRead = false
            handler?.inputEnded(self)
        case .failed(let error): end(error)
        }
    }

    package func streamWritable(_ stream: TCPStream) {
        write()
        if isOpen, outgoing.isEmpty { handler?.drained(self) }
    }

    package func streamFailed(_ stream: TCPStream, error: SocketError) { end(error) }
}
