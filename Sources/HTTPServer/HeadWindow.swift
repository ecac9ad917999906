import Glibc
import Primitives

/// Looks at the head of a request where it lies, in the kernel's buffer, and speaks to clients that libmicrohttpd never
/// sees. One piece of memory serves all connections: nothing is kept between two looks.
final class HeadWindow {
    enum Sight {
        /// So many bytes are there, and no end of a head among them.
        case waiting(Int)
        case head(RequestHead)
        case fault(HTTPFault)
        /// The other end has closed, or broken the connection.
        case gone
    }

    private let memory: UnsafeMutableRawBufferPointer
    private let limits: HTTPLimits

    init(_ limits: HTTPLimits) {
        self.limits = limits
        let longest = limits.longTargets.values.reduce(limits.mostTargetBytes) { max($0, $1) }
        memory = .allocate(byteCount: longest + limits.mostHeaderBytes + HeadWindow.requestLine, alignment: 16)
    }

    deinit { memory.deallocate() }

    /// The method, the version, and what stands between them and the target.
    private static let requestLine = 32
    private static let looking = Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)

    /// - Parameter seen: bytes among which the end of the head was not.
    func look(at descriptor: Int32, beyond seen: Int) -> Sight {
        let count = recv(descriptor, memory.baseAddress, memory.count, HeadWindow.looking)
        guard count > 0 else { return count < 0 && (errno == EAGAIN || errno == EINTR) ? .waiting(seen) : .gone }
        // Ready, and nothing new: the other end has sent all that it will.
        guard count > seen else { return .gone }
        let there = UnsafeRawBufferPointer(rebasing: memory[..<count])
        // Every method is a word in capitals; what begins otherwise (TLS, another protocol) has no head to wait for.
        guard let first = there.first, 65...90 ~= first else { return .fault(.badRequest) }
        guard let length = HeadWindow.headLength(of: there, from: max(0, min(seen, count) - 3)) else {
            return sight(ofBeginning: there)
        }
        do throws(HTTPFault) {
            return .head(try RequestHead(UnsafeRawBufferPointer(rebasing: there[..<length]).bytes))
        } catch {
            return .fault(error)
        }
    }

    private static func headLength(of bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var offset = start + 3
        while offset < bytes.count {
            // Most bytes say that the end is not near.
            if bytes[offset] > 13 {
                offset += 4
            } else if bytes[offset] == 10, bytes[offset - 1] == 13, bytes[offset - 2] == 10, bytes[offset - 3] == 13 {
                return offset + 1
            } else {
                offset += 1
            }
        }
        return nil
    }

    /// A head without an end, that may be too long already.
    private func sight(ofBeginning bytes: UnsafeRawBufferPointer) -> Sight {
        if bytes.count == memory.count { return .fault(bytes.contains(10) ? .headersTooLong : .targetTooLong) }
        guard bytes.count > limits.mostTargetBytes, !bytes.contains(10) else { return .waiting(bytes.count) }
        let target = bytes.drop { $0 != UInt8(ascii: " ") }.dropFirst()
        let most = limits.mostBytes(ofTarget: Array(target.prefix(HeadWindow.requestLine)))
        return target.count > most + HeadWindow.requestLine ? .fault(.targetTooLong) : .waiting(bytes.count)
    }

    /// Throws away what has come. False at the end.
    func discard(from descriptor: Int32) -> Bool {
        // As much as a turn has for one connection; the rest is there in the next.
        for _ in 0..<16 {
            let count = recv(descriptor, memory.baseAddress, memory.count, Int32(MSG_DONTWAIT))
            if count < 0 { return errno == EAGAIN || errno == EINTR }
            if count == 0 { return false }
        }
        return true
    }

    /// Sends a short answer, which a new connection's buffer always has room for.
    func send(_ reply: [UInt8], to descriptor: Int32) -> Bool {
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        return reply.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, flags) } == reply.count
    }
}
