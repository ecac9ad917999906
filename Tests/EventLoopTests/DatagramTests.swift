import EventLoop
import Primitives
import TestSupport
import Testing

@Suite("UDP")
struct DatagramTests {
    @Test("delivers 1,000 datagrams in order, in batches")
    func delivers() async throws {
        try await withStage { stage async throws in
            let (sender, receiver) = try await openPair(on: stage)
            // A hundred at a time: the kernel's default queue holds about 280.
            for burst in 0..<10 {
                await stage.perform { _ in
                    for number in 0..<100 { sender.handler.send([UInt8(burst), UInt8(number)], to: receiver.handler) }
                }
                let expected = (0..<100).map { DatagramEvent.received([UInt8(burst), UInt8($0)]) }
                var received: [DatagramEvent] = []
                while received.count < 100 {
                    let event = try await receiver.handler.log.next()
                    if event != .drained { received.append(event) }
                }
                #expect(received == expected)
            }
            await stage.perform { _ in
                #expect(receiver.handler.socket?.counters.received == 1_000)
                #expect(sender.handler.socket?.counters.sent == 1_000)
                #expect(receiver.handler.drainedCount < 1_000)
            }
        }
    }

    @Test("sends what was queued in order, 32 at a time by itself and the rest when told")
    func queues() async throws {
        try await withStage { stage async throws in
            let (sender, receiver) = try await openPair(on: stage)
            await stage.perform { _ in
                guard let endpoint = receiver.handler.socket?.localEndpoint else { return }
                for number in 0..<100 { sender.handler.socket?.queue([UInt8(number)].span.bytes, to: endpoint) }
                #expect(sender.handler.socket?.counters.sent == 96)
                sender.handler.socket?.flush()
                sender.handler.socket?.flush()
                #expect(sender.handler.socket?.counters.sent == 100)
            }
            var received: [DatagramEvent] = []
            while received.count < 100 {
                let event = try await receiver.handler.log.next()
                if event != .drained { received.append(event) }
            }
            #expect(received == (0..<100).map { .received([UInt8($0)]) })
        }
    }

    @Test("counts what of a queue could not be sent, and sends what follows it")
    func queueWithRefusals() async throws {
        try await withStage { stage async throws in
            let (sender, receiver) = try await openPair(on: stage)
            await stage.perform { _ in
                guard let endpoint = receiver.handler.socket?.localEndpoint else { return }
                let otherFamily = Endpoint(.v6(high: 0, low: 1), endpoint.port)
                sender.handler.socket?.queue([UInt8(1)].span.bytes, to: endpoint)
                sender.handler.socket?.queue([UInt8(2)].span.bytes, to: otherFamily)
                sender.handler.socket?.queue([UInt8](repeating: 3, count: 2_049).span.bytes, to: endpoint)
                sender.handler.socket?.queue([UInt8(4)].span.bytes, to: endpoint)
                sender.handler.socket?.flush()
                #expect(sender.handler.socket?.counters.sent == 2)
                #expect(sender.handler.socket?.counters.refused == 1)
                #expect(sender.handler.socket?.counters.dropped == 1)
            }
            var received: [DatagramEvent] = []
            while received.count < 2 {
                let event = try await receiver.handler.log.next()
                if event != .drained { received.append(event) }
            }
            #expect(received == [.received([1]), .received([4])])
        }
    }

    @Test("takes 256 datagrams a turn, however many there are, and the rest in the next (D17)")
    func turns() async throws {
        try await withStage { stage async throws in
            let (sender, receiver) = try await openPair(on: stage)
            await stage.perform { _ in
                // Twice this is what the kernel then grants: room for some 550 small datagrams.
                receiver.handler.socket?.setReceiveBuffer(bytes: 212_992)
                for _ in 0..<400 { sender.handler.send([1], to: receiver.handler) }
            }
            var turns = [0]
            while turns.reduce(0, +) < 400 {
                if try await receiver.handler.log.next() == .drained {
                    turns.append(0)
                } else {
                    turns[turns.count - 1] += 1
                }
            }
            #expect(turns == [256, 144])
        }
    }

    @Test("takes 2,048 bytes, drops one more, and goes on (D17)")
    func dropsOversized() async throws {
        try await withStage { stage async throws in
            let (sender, receiver) = try await openPair(on: stage)
            await stage.perform { _ in
                sender.handler.send([UInt8](repeating: 1, count: 2_049), to: receiver.handler)
                sender.handler.send([UInt8](repeating: 2, count: 2_048), to: receiver.handler)
                sender.handler.send([], to: receiver.handler)
            }
            var received: [DatagramEvent] = []
            while received.count < 2 {
                let event = try await receiver.handler.log.next()
                if event != .drained { received.append(event) }
            }
            #expect(received == [.received([UInt8](repeating: 2, count: 2_048)), .received([])])
            await stage.perform { _ in #expect(receiver.handler.socket?.counters.oversized == 1) }
        }
    }

    @Test("names the sender, also over IPv6", arguments: [IPAddress.loopbackV4, .v6(high: 0, low: 1)])
    func namesSender(address: IPAddress) async throws {
        try await withStage { stage async throws in
            let (sender, receiver) = try await openPair(on: stage, address)
            await stage.perform { _ in sender.handler.send([1], to: receiver.handler) }
            #expect(try await receiver.handler.log.next() == .received([1]))
            await stage.perform { _ in
                #expect(receiver.handler.lastSender == sender.handler.socket?.localEndpoint)
            }
        }
    }

    @Test("ignores that nobody listens at the other end")
    func ignoresRefusal() async throws {
        try await withStage { stage async throws in
            let (sender, receiver) = try await openPair(on: stage)
            await stage.perform { stage in
                let gone = stage.keep(DatagramEvents())
                gone.socket = try? DatagramSocket(loop: stage.loop, endpoint: Endpoint(loopback, 0))
                let endpoint = gone.socket?.localEndpoint
                gone.socket?.close()
                for _ in 0..<3 { sender.handler.send([0], to: endpoint ?? Endpoint(loopback, 1)) }
                sender.handler.send([1], to: receiver.handler)
            }
            #expect(try await receiver.handler.log.next() == .received([1]))
        }
    }

    @Test("counts what the kernel refuses to send")
    func countsRefused() async throws {
        try await withStage { stage async throws in
            let (sender, _) = try await openPair(on: stage)
            await stage.perform { _ in
                // Another family than the socket's.
                sender.handler.send([1], to: Endpoint(.v6(high: 0, low: 1), 9))
                #expect(sender.handler.socket?.counters.refused == 1)
            }
        }
    }

    @Test("keeps datagrams waiting until there is a handler")
    func waitsForHandler() async throws {
        try await withStage { stage async throws in
            let (sender, receiver) = try await openPair(on: stage)
            await stage.perform { _ in
                receiver.handler.socket?.handler = nil
                sender.handler.send([1], to: receiver.handler)
            }
            // Two turns in which nothing may be read or closed.
            for _ in 0..<2 {
                await stage.perform { _ in #expect(receiver.handler.socket?.isOpen == true) }
            }
            await stage.perform { _ in receiver.handler.socket?.handler = receiver.handler }
            #expect(try await receiver.handler.log.next() == .received([1]))
        }
    }

    @Test("can be closed in the middle of a batch")
    func closesInside() async throws {
        try await withStage { stage async throws in
            let (sender, receiver) = try await openPair(on: stage)
            await stage.perform { _ in
                receiver.handler.closesAfterReceiving = true
                for number in 0..<20 { sender.handler.send([UInt8(number)], to: receiver.handler) }
            }
            #expect(try await receiver.handler.log.next() == .received([0]))
            await stage.perform { _ in #expect(receiver.handler.socket?.counters.received == 1) }
        }
    }
}

@Suite("Both transports on one port")
struct BoundPortTests {
    @Test("picks one that is free for both")
    func picksAny() async throws {
        try await withStage { stage async throws in
            try await stage.perform { stage in
                let pair = try BoundPort.bind(loop: stage.loop, address: loopback, port: .any)
                #expect(pair.endpoint.port != 0)
                #expect(pair.listener.localEndpoint == pair.endpoint)
                #expect(pair.datagrams.localEndpoint == pair.endpoint)
            }
        }
    }

    @Test("names the busy transport and port, and leaves the other free", arguments: [Transport.tcp, .udp])
    func namesBusy(transport: Transport) async throws {
        try await withStage { stage async throws in
            try await stage.perform { stage in
                let first = try BoundPort.bind(loop: stage.loop, address: loopback, port: .any)
                let endpoint = first.endpoint
                if transport == .tcp { first.datagrams.close() } else { first.listener.close() }
                let error = #expect(throws: SocketError.self) {
                    try BoundPort.bind(loop: stage.loop, address: loopback, port: .exactly(endpoint.port))
                }
                #expect(error == .addressInUse(endpoint, transport))
                #expect(error?.description.contains("\(transport) port \(endpoint.port) is in use") == true)
                first.close()
                let second = try BoundPort.bind(loop: stage.loop, address: loopback, port: .exactly(endpoint.port))
                #expect(second.endpoint == endpoint)
            }
        }
    }

    @Test("takes the next free one of a range, and any after its end")
    func takesNextFree() async throws {
        try await withStage { stage async throws in
            try await stage.perform { stage in
                // An address of its own keeps other suites out of the range.
                let address = IPAddress.v4(0x7f00_4201)
                let range = PortChoice.first(6881...6882)
                let ports = try (0..<3).map { _ in
                    try BoundPort.bind(loop: stage.loop, address: address, port: range).endpoint.port
                }
                #expect(ports[0...1] == [6881, 6882])
                #expect(!(6881...6882).contains(ports[2]))
            }
        }
    }
}

@Suite("Both families on one port")
struct BothFamiliesTests {
    /// Loopback of both families exists wherever these tests run.
    @Test("IPv4 and IPv6 get the same number, for both transports")
    func sameNumber() async throws {
        try await withStage { stage async throws in
            try await stage.perform { stage in
                let ports = try BoundPort.bindEverywhere(loop: stage.loop, port: .any)
                try #require(ports.count == 2)
                #expect(ports.map(\.endpoint.address) == [.anyV4, .anyV6])
                #expect(ports[0].endpoint.port == ports[1].endpoint.port && ports[0].endpoint.port != 0)
                for port in ports {
                    #expect(port.listener.localEndpoint == port.endpoint)
                    #expect(port.datagrams.localEndpoint == port.endpoint)
                }
            }
        }
    }

    @Test("a number that one family has taken is taken, and nothing stays bound", arguments: [Transport.tcp, .udp])
    func oneIsBusy(transport: Transport) async throws {
        try await withStage { stage async throws in
            try await stage.perform { stage in
                let other = try BoundPort.bind(loop: stage.loop, address: .v6(high: 0, low: 1), port: .any)
                if transport == .tcp { other.datagrams.close() } else { other.listener.close() }
                let number = other.endpoint.port
                let error = #expect(throws: SocketError.self) {
                    try BoundPort.bindEverywhere(loop: stage.loop, port: .exactly(number))
                }
                #expect(error == .addressInUse(Endpoint(.anyV6, number), transport))
                // The IPv4 half of the failed attempt is free again.
                let v4 = try BoundPort.bind(loop: stage.loop, address: .anyV4, port: .exactly(number))
                v4.close()
                other.close()
                #expect(try BoundPort.bindEverywhere(loop: stage.loop, port: .exactly(number)).count == 2)
            }
        }
    }
}

private enum DatagramEvent: Hashable, Sendable {
    case received([UInt8])
    case drained
}

private final class DatagramEvents: DatagramHandler {
    let log = EventLog<DatagramEvent>()
    var socket: DatagramSocket?
    var lastSender: Endpoint?
    var drainedCount = 0
    var closesAfterReceiving = false

    func send(_ bytes: [UInt8], to receiver: DatagramEvents) {
        guard let endpoint = receiver.socket?.localEndpoint else { return }
        send(bytes, to: endpoint)
    }

    func send(_ bytes: [UInt8], to endpoint: Endpoint) {
        socket?.send(bytes.span.bytes, to: endpoint)
    }

    func datagramReceived(_ bytes: RawSpan, from sender: Endpoint, on socket: DatagramSocket) {
        lastSender = sender
        log.record(.received(bytes.copied))
        if closesAfterReceiving { socket.close() }
    }

    func datagramsDrained(_ socket: DatagramSocket) {
        drainedCount += 1
        log.record(.drained)
    }
}

/// Two sockets on free ports of `address`.
private func openPair(
    on stage: Stage,
    _ address: IPAddress = loopback
) async throws -> (sender: Shared<DatagramEvents>, receiver: Shared<DatagramEvents>) {
    let pair = (Shared(DatagramEvents()), Shared(DatagramEvents()))
    try await stage.perform { stage in
        for events in [pair.0.handler, pair.1.handler] {
            events.socket = try DatagramSocket(loop: stage.loop, endpoint: Endpoint(address, 0), handler: events)
        }
    }
    return pair
}
