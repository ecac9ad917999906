import EventLoop
import Glibc
import Primitives
import TestSupport
import Testing

@Suite("TCP")
struct StreamTests {
    @Test("connects, and carries gathered bytes both ways")
    func connects() async throws {
        try await withStage { stage async throws in
            let (server, client) = try await openPair(on: stage)
            await stage.perform { _ in
                #expect(client.handler.streams[0].write([[1, 2, 3], [], [4], [5, 6]]) == .bytes(6))
            }
            #expect(try await server.handler.log.next() == .received([1, 2, 3, 4, 5, 6]))
            await stage.perform { _ in
                #expect(server.handler.streams[0].write([[7]]) == .bytes(1))
                #expect(server.handler.streams[0].remoteEndpoint == client.handler.streams[0].localEndpoint)
            }
            #expect(try await client.handler.log.next() == .received([7]))
        }
    }

    @Test("dials from the address it is told")
    func dialsFromAddress() async throws {
        try await withStage { stage async throws in
            let local = Endpoint(.v4(0x7f00_0105), 0)
            let (server, _) = try await openPair(on: stage, from: local)
            await stage.perform { _ in
                #expect(server.handler.streams[0].remoteEndpoint.address == local.address)
            }
        }
    }

    @Test("reports a port where nobody listens")
    func refused() async throws {
        try await withStage { stage async throws in
            let events = Shared(StreamEvents())
            try await stage.perform { stage in
                let listener = try StreamListener(loop: stage.loop, endpoint: Endpoint(loopback, 0))
                let endpoint = try #require(listener.localEndpoint)
                listener.close()
                _ = try TCPStream.connect(
                    loop: stage.loop,
                    to: endpoint,
                    timeout: .seconds(9),
                    handler: events.handler
                )
            }
            #expect(try await events.handler.log.next() == .failed(.refused))
        }
    }

    @Test("reports a connection that takes too long")
    func timesOut() async throws {
        try await withStage { stage async throws in
            let events = Shared(StreamEvents())
            // The queue of one listener that never accepts fills up, and the kernel then leaves connections hanging.
            let attempts = try await stage.perform { stage in
                let deaf = try DeafListener()
                _ = stage.keep(deaf)
                for _ in 0..<8 {
                    _ = try TCPStream.connect(
                        loop: stage.loop,
                        to: deaf.endpoint,
                        timeout: .milliseconds(50),
                        handler: events.handler
                    )
                }
                return 8
            }
            let outcomes = try await events.handler.log.next(attempts)
            #expect(outcomes.contains(.failed(.timedOut)))
            #expect(outcomes.allSatisfy { $0 == .connected || $0 == .failed(.timedOut) })
        }
    }

    @Test("fails at once to dial from an address that is not ours")
    func foreignAddress() async throws {
        try await withStage { stage async throws in
            let events = Shared(StreamEvents())
            // TEST-NET-1: no machine has it.
            let foreign = Endpoint(.v4(0xc000_0201), 0)
            await stage.perform { stage in
                #expect(throws: SocketError.addressUnavailable(foreign)) {
                    try TCPStream.connect(
                        loop: stage.loop,
                        to: Endpoint(loopback, 1),
                        from: foreign,
                        timeout: .seconds(9),
                        handler: events.handler
                    )
                }
            }
        }
    }

    @Test("tells the end, and the stream can be closed inside any callback, twice")
    func closesInside() async throws {
        try await withStage { stage async throws in
            let (server, client) = try await openPair(on: stage)
            await stage.perform { _ in
                server.handler.closesAfterReading = true
                #expect(client.handler.streams[0].write([[1]]) == .bytes(1))
            }
            #expect(try await server.handler.log.next() == .received([1]))
            #expect(try await client.handler.log.next() == .closed)
            await stage.perform { _ in
                client.handler.streams[0].close()
                #expect(client.handler.streams[0].write([[1]]) == .failed(.closed))
                #expect(client.handler.streams[0].localEndpoint == nil)
            }
        }
    }

    @Test("tells a broken connection, after the bytes that came before")
    func reset() async throws {
        try await withStage { stage async throws in
            let (server, client) = try await openPair(on: stage)
            await stage.perform { _ in
                #expect(server.handler.streams[0].write([[9]]) == .bytes(1))
                // Unread bytes at the other end make its close a reset.
                #expect(client.handler.streams[0].write([[1]]) == .bytes(1))
                server.handler.streams[0].close()
            }
            #expect(try await client.handler.log.next() == .received([9]))
            let end = try await client.handler.log.next()
            #expect(end == .failed(.reset) || end == .closed)
        }
    }

    @Test("closes a stream whose handler is gone")
    func closesWithoutHandler() async throws {
        try await withStage { stage async throws in
            let (server, client) = try await openPair(on: stage)
            await stage.perform { _ in
                server.handler.streams[0].handler = nil
                #expect(client.handler.streams[0].write([[1]]) == .bytes(1))
            }
            let end = try await client.handler.log.next()
            #expect(end == .failed(.reset) || end == .closed)
        }
    }

    @Test("a listener names the port that is busy")
    func portBusy() async throws {
        try await withStage { stage async throws in
            try await stage.perform { stage in
                let first = try StreamListener(loop: stage.loop, endpoint: Endpoint(loopback, 0))
                let endpoint = try #require(first.localEndpoint)
                #expect(throws: SocketError.addressInUse(endpoint, .tcp)) {
                    try StreamListener(loop: stage.loop, endpoint: endpoint)
                }
                first.close()
                let second = try StreamListener(loop: stage.loop, endpoint: endpoint)
                #expect(second.localEndpoint == endpoint)
            }
        }
    }

    @Test("accepts a hundred connections that come at once")
    func acceptsMany() async throws {
        try await withStage { stage async throws in
            let server = Shared(StreamEvents())
            let client = Shared(StreamEvents())
            try await stage.perform { stage in
                let listener = try StreamListener(
                    loop: stage.loop,
                    endpoint: Endpoint(loopback, 0),
                    handler: server.handler
                )
                let endpoint = try #require(listener.localEndpoint)
                for _ in 0..<100 {
                    _ = try TCPStream.connect(
                        loop: stage.loop,
                        to: endpoint,
                        timeout: .seconds(9),
                        handler: client.handler
                    )
                }
            }
            #expect(try await server.handler.log.next(100) == Array(repeating: .accepted, count: 100))
            #expect(try await client.handler.log.next(100) == Array(repeating: .connected, count: 100))
        }
    }

    @Test("echoes 64 MiB through split reads and gathered writes")
    func echoes() async throws {
        try await withStage { stage async throws in
            let total = 64 << 20
            let client = Shared(EchoClient(total: total))
            let server = Shared(EchoServer())
            try await stage.perform { stage in
                let listener = try StreamListener(
                    loop: stage.loop,
                    endpoint: Endpoint(loopback, 0),
                    handler: server.handler
                )
                let endpoint = try #require(listener.localEndpoint)
                _ = try TCPStream.connect(
                    loop: stage.loop,
                    to: endpoint,
                    timeout: .seconds(9),
                    handler: client.handler
                )
            }
            #expect(try await client.handler.log.next() == .init(received: total, isIntact: true))
        }
    }
}

/// Hands an object of the loop's thread through the closures of a test.
///
/// Safe although unchecked: tests touch it inside `perform` only, except for its log, which is `Sendable` and constant.
struct Shared<Handler: AnyObject>: @unchecked Sendable {
    let handler: Handler

    init(_ handler: Handler) {
        self.handler = handler
    }
}

/// A connected pair of streams, each recorded.
private func openPair(
    on stage: Stage,
    from local: Endpoint? = nil
) async throws -> (server: Shared<StreamEvents>, client: Shared<StreamEvents>) {
    let server = Shared(StreamEvents())
    let client = Shared(StreamEvents())
    try await stage.perform { stage in
        let listener = try StreamListener(loop: stage.loop, endpoint: Endpoint(loopback, 0), handler: server.handler)
        _ = try TCPStream.connect(
            loop: stage.loop,
            to: #require(listener.localEndpoint),
            from: local,
            timeout: .seconds(9),
            handler: client.handler
        )
    }
    #expect(try await server.handler.log.next() == .accepted)
    #expect(try await client.handler.log.next() == .connected)
    return (server, client)
}

/// Listens with a queue of one and never accepts.
private final class DeafListener {
    let endpoint: Endpoint
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let code = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) | listen(descriptor, 0) | getsockname(descriptor, $0, &length)
            }
        }
        try #require(code == 0)
        endpoint = Endpoint(loopback, UInt16(bigEndian: address.sin_port))
    }

    deinit {
        close(descriptor)
    }
}
