import Glibc

/// A blocking TCP connection for a test that plays a peer byte by byte; used by one thread at a time.
package final class RawConnection: Sendable {
    private let descriptor: Int32

    /// A peer that says nothing for so long has given up.
    private static let patience = timeval(tv_sec: 10, tv_usec: 0)

    fileprivate init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var patience = RawConnection.patience
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { Glibc.close(descriptor) }

    /// - Parameters:
    ///   - address: `127.0.0.1:port`.
    ///   - receiveBuffer: bytes that the kernel takes in for a test that reads nothing; `nil` for some megabytes.
    package static func dial(_ address: String, receiveBuffer: Int32? = nil) throws -> RawConnection {
        let port = address.split(separator: ":").last.flatMap { UInt16($0) } ?? 0
        let connection = RawConnection(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        if var bytes = receiveBuffer {
            setsockopt(connection.descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
        guard withLoopback(port, { connect(connection.descriptor, $0, $1) }) == 0 else {
            throw TemporaryFolder.Failure(path: address, code: errno)
        }
        return connection
    }

    /// `false` once the other end is gone.
    @discardableResult
    package func send(_ bytes: [UInt8]) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }

    /// Says that nothing more comes.
    package func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Exactly so many bytes, or `nil` when the other end closes or falls silent.
    package func receive(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let received = bytes[done...].withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            guard received > 0 else { return nil }
            done += received
        }
        return bytes
    }

    /// Whether nothing comes for so long, not even the end.
    package func waits(milliseconds: Int32) -> Bool {
        var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&watched, 1, milliseconds) == 0
    }

    /// Reads until the other end closes, and says whether it did.
    package func isClosedByPeer() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &bytes, bytes.count, 0)
            if count == 0 || (count < 0 && errno == ECONNRESET) { return true }
            if count < 0 { return false }
        }
    }

    fileprivate static func port(of descriptor: Int32) -> UInt16 {
        var bound = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &bound) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return UInt16(bigEndian: bound.sin_port)
    }

    fileprivate static func withLoopback<Result>(
        _ port: UInt16,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

/// Listens on loopback and has every connection played by a closure on a thread of its own, until it is closed.
package final class RawListener: Sendable {
    /// `127.0.0.1:port`.
    package let address: String
    private let descriptor: Int32

    package init(_ behaviour: @escaping @Sendable (RawConnection) -> Void) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptor = descriptor
        guard RawConnection.withLoopback(0, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, 64) == 0 else {
            throw TemporaryFolder.Failure(path: "listening", code: errno)
        }
        address = "127.0.0.1:\(RawConnection.port(of: descriptor))"
        RawListener.start {
            while true {
                let accepted = accept(descriptor, nil, nil)
                guard accepted >= 0 else { break }
                let connection = RawConnection(accepted)
                RawListener.start { behaviour(connection) }
            }
            close(descriptor)
        }
    }

    // Ends `accept`; the thread closes the descriptor.
    deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs on a thread of its own: the calls block, and Swift's shared pool must not.
    package static func start(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(Work(body)).toOpaque()
        let code = pthread_create(
            &thread,
            nil,
            { context in
                context.map { Unmanaged<Work>.fromOpaque($0).takeRetainedValue().body() }
                return nil
            },
            context
        )
        if code == 0 { pthread_detach(thread) } else { Unmanaged<Work>.fromOpaque(context).release() }
    }
}

/// A UDP socket on loopback for a test that speaks and listens byte by byte.
package final class RawDatagrams: Sendable {
    private let descriptor: Int32
    package let port: UInt16

    package init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        self.descriptor = descriptor
        guard RawConnection.withLoopback(0, { bind(descriptor, $0, $1) }) == 0 else {
            throw TemporaryFolder.Failure(path: "binding", code: errno)
        }
        port = RawConnection.port(of: descriptor)
    }

    deinit { close(descriptor) }

    /// Sends to a port of 127.0.0.1.
    package func send(_ bytes: [UInt8], toPort port: UInt16) {
        _ = RawConnection.withLoopback(port) { address, length in
            bytes.withUnsafeBytes { sendto(descriptor, $0.baseAddress, $0.count, 0, address, length) }
        }
    }

    /// The next datagram, or `nil` when none comes in time.
    package func receive(within seconds: Double = 10) -> [UInt8]? {
        let whole = Int(seconds)
        var patience = timeval(tv_sec: whole, tv_usec: Int((seconds - Double(whole)) * 1e6))
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var bytes = [UInt8](repeating: 0, count: 2048)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return count < 0 ? nil : Array(bytes.prefix(count))
    }
}
