import EventLoop
import Glibc
import Primitives
import TestSupport

/// Sends bytes that depend on their position, reads them back through two buffers, and compares.
final class EchoClient: StreamHandler {
    struct Outcome: Hashable, Sendable {
        let received: Int
        let isIntact: Bool
    }

    /// A prime, so that positions in buffer and stream drift against each other.
    private static let period = 65_521

    let log = EventLog<Outcome>()
    private let total: Int
    private let pattern: [UInt8]
    private var sent = 0
    private var received = 0
    private var isIntact = true
    private var stream: TCPStream?
    private var first = [UInt8](repeating: 0, count: 1_000)
    private var second = [UInt8](repeating: 0, count: 100_000)

    init(total: Int) {
        self.total = total
        pattern = (0..<2 * EchoClient.period).map { UInt8(truncatingIfNeeded: $0 % EchoClient.period * 31 >> 3) }
    }

    func streamConnected(_ stream: TCPStream) {
        self.stream = stream
        stream.wantsWrite = true
    }

    func streamWritable(_ stream: TCPStream) {
        guard sent < total else {
            stream.wantsWrite = false
            return
        }
        // Twenty pieces of 1 to 20 times 137 bytes.
        let result = pattern.withUnsafeBytes { pattern in
            var vectors: [iovec] = []
            var offset = sent % EchoClient.period
            var left = total - sent
            for length in 1...20 where offset + length * 137 <= pattern.count {
                let count = min(length * 137, left)
                let base = UnsafeMutableRawPointer(mutating: pattern.baseAddress?.advanced(by: offset))
                vectors.append(iovec(iov_base: base, iov_len: count))
                offset += count
                left -= count
            }
            return vectors.withUnsafeBufferPointer { stream.write($0) }
        }
        if case .bytes(let count) = result { sent += count }
        if case .failed = result { finish(stream) }
    }

    func streamReadable(_ stream: TCPStream) {
        let result = first.withUnsafeMutableBytes { first in
            second.withUnsafeMutableBytes { stream.read(into: first, and: $0) }
        }
        guard case .bytes(let count) = result else {
            if result != .wouldBlock { finish(stream) }
            return
        }
        let head = min(count, first.count)
        check(first[..<head])
        check(second[..<(count - head)])
        if received == total { finish(stream) }
    }

    private func check(_ bytes: ArraySlice<UInt8>) {
        let position = received % EchoClient.period
        var offset = 0
        while offset < bytes.count {
            let count = min(bytes.count - offset, EchoClient.period)
            let start = (position + offset) % EchoClient.period
            let isEqual = bytes.withUnsafeBytes { bytes in
                pattern.withUnsafeBytes { pattern in
                    guard let left = bytes.baseAddress, let right = pattern.baseAddress else { return true }
                    return memcmp(left + offset, right + start, count) == 0
                }
            }
            if !isEqual { isIntact = false }
            offset += count
        }
        received += bytes.count
    }

    func streamFailed(_ stream: TCPStream, error: SocketError) {
        finish(stream)
    }

    private func finish(_ stream: TCPStream) {
        stream.close()
        log.record(Outcome(received: received, isIntact: isIntact))
    }
}

/// Writes back what it reads; reads no more while something waits to be written.
final class EchoServer: StreamHandler, StreamListenerHandler {
    private var stream: TCPStream?
    private var buffer = [UInt8](repeating: 0, count: 256 << 10)
    private var waiting = 0..<0

    func listener(_ listener: StreamListener, accepted stream: TCPStream, from remote: Endpoint) {
        stream.handler = self
        self.stream = stream
        listener.close()
    }

    func streamReadable(_ stream: TCPStream) {
        let middle = buffer.count / 3
        let result = buffer.withUnsafeMutableBytes { buffer in
            stream.read(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<middle]),
                and: UnsafeMutableRawBufferPointer(rebasing: buffer[middle...])
            )
        }
        switch result {
        case .bytes(let count):
            waiting = 0..<count
            streamWritable(stream)
        case .wouldBlock: break
        case .closed, .failed: stream.close()
        }
    }

    func streamWritable(_ stream: TCPStream) {
        let result = buffer.withUnsafeMutableBytes { buffer in
            let base = buffer.baseAddress?.advanced(by: waiting.lowerBound)
            let vector = iovec(iov_base: base, iov_len: waiting.count)
            return withUnsafePointer(to: vector) { stream.write(UnsafeBufferPointer(start: $0, count: 1)) }
        }
        switch result {
        case .bytes(let count): waiting = waiting.lowerBound + count..<waiting.upperBound
        case .wouldBlock: break
        case .failed: stream.close()
        }
        stream.wantsWrite = !waiting.isEmpty
        stream.wantsRead = waiting.isEmpty
    }

    func streamConnected(_ stream: TCPStream) {}

    func streamFailed(_ stream: TCPStream, error: SocketError) {}
}
