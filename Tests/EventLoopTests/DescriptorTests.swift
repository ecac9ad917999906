import EventLoop
import Glibc
import Primitives
import TestSupport
import Testing

@Suite("Descriptors")
struct DescriptorTests {
    @Test("none stays open after fifty loops, whatever was open at their ends")
    func noneIsLeaked() async {
        // A process of its own: the other tests open descriptors at the same time.
        await #expect(processExitsWith: .success) {
            // The first loop opens what libuv keeps for the process.
            try await runBusyLoop()
            let before = openDescriptorCount()
            for _ in 0..<50 { try await runBusyLoop() }
            // Dispatch opens a few of its own when it likes; one leaked per loop would be fifty.
            try #require(openDescriptorCount() < before + 50)
        }
    }

    @Test("having run out, a listener rests and then accepts the connection that waited")
    func listenerRests() async {
        // A process of its own: the limit is the process's.
        await #expect(processExitsWith: .success) { try await exhaustDescriptors() }
    }
}

private func exhaustDescriptors() async throws {
    // Dispatch opens its timers' descriptors with the first alarm, and traps if it cannot.
    _ = try? await withDeadline(.milliseconds(1)) { try await Task.sleep(for: .seconds(60)) }
    try await withStage { stage async throws in
        let (server, client) = (Shared(StreamEvents()), Shared(StreamEvents()))
        let (listener, hoard) = try await stage.perform { stage in
            let listener = try StreamListener(
                loop: stage.loop,
                endpoint: Endpoint(loopback, 0),
                handler: server.handler
            )
            let endpoint = try #require(listener.localEndpoint)
            let hoard = hoardDescriptors()
            // One for the client's end, none for the other.
            close(hoard[0])
            _ = try TCPStream.connect(loop: stage.loop, to: endpoint, timeout: .seconds(9), handler: client.handler)
            return (Shared(listener), hoard)
        }
        try #require(try await client.handler.log.next() == .connected)
        while await stage.perform({ _ in listener.handler.restCount }) == 0 { await Task.yield() }
        for number in hoard.dropFirst() { close(number) }
        try #require(try await server.handler.log.next() == .accepted)
        let rests = await stage.perform { _ in listener.handler.restCount }
        try #require(rests == 1)
    }
}

/// A loop that stops with a listener, a datagram socket, a connection, a resolver and a timer open.
private func runBusyLoop() async throws {
    let loop = try Loop()
    try loop.start()
    let events = Shared(StreamEvents())
    try await Stage(loop).perform { stage in
        let pair = try BoundPort.bind(loop: stage.loop, address: loopback, port: .any)
        _ = try TCPStream.connect(loop: stage.loop, to: pair.endpoint, timeout: .seconds(9), handler: events.handler)
        _ = try Resolver(loop: stage.loop)
        Timer(loop: stage.loop).start(at: stage.loop.now + .seconds(9))
    }
    loop.stop()
}

private func openDescriptorCount() -> Int {
    guard let folder = opendir("/proc/self/fd") else { return 0 }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    return count
}

/// Takes every descriptor that a low limit leaves.
private func hoardDescriptors() -> [Int32] {
    var limit = rlimit(rlim_cur: 64, rlim_max: 64)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    var hoard: [Int32] = []
    while true {
        let number = dup(STDERR_FILENO)
        guard number >= 0 else { return hoard }
        hoard.append(number)
    }
}
