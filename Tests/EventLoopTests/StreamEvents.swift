import EventLoop
import Glibc
import Primitives
import TestSupport

enum StreamEvent: Hashable, Sendable {
    case accepted
    case connected
    case received([UInt8])
    case closed
    case failed(SocketError)
}

/// Records what happens to streams, and reads what they bring.
final class StreamEvents: StreamHandler, StreamListenerHandler {
    let log = EventLog<StreamEvent>()
    var streams: [TCPStream] = []
    /// Close as soon as this many bytes have been read.
    var closesAfterReading = false

    func listener(_ listener: StreamListener, accepted stream: TCPStream, from remote: Endpoint) {
        stream.handler = self
        streams.append(stream)
        log.record(.accepted)
    }

    func streamConnected(_ stream: TCPStream) {
        streams.append(stream)
        log.record(.connected)
    }

    func streamReadable(_ stream: TCPStream) {
        var first = [UInt8](repeating: 0, count: 4)
        var second = [UInt8](repeating: 0, count: 1 << 16)
        let result = first.withUnsafeMutableBytes { first in
            second.withUnsafeMutableBytes { stream.read(into: first, and: $0) }
        }
        switch result {
        case .bytes(let count):
            log.record(.received(Array((first + second).prefix(count))))
            if closesAfterReading { stream.close() }
        case .wouldBlock: break
        case .closed:
            stream.close()
            log.record(.closed)
        case .failed(let error):
            stream.close()
            log.record(.failed(error))
        }
    }

    func streamWritable(_ stream: TCPStream) {}

    func streamFailed(_ stream: TCPStream, error: SocketError) {
        log.record(.failed(error))
    }
}

extension TCPStream {
    /// Writes the pieces in one call.
    func write(_ pieces: [[UInt8]]) -> WriteResult {
        let bytes = pieces.flatMap { $0 }
        return bytes.withUnsafeBytes { bytes in
            var vectors: [iovec] = []
            var offset = 0
            for piece in pieces {
                let base = UnsafeMutableRawPointer(mutating: bytes.baseAddress?.advanced(by: offset))
                vectors.append(iovec(iov_base: base, iov_len: piece.count))
                offset += piece.count
            }
            return vectors.withUnsafeBufferPointer { write($0) }
        }
    }
}
