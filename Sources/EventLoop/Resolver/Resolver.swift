import CLinux
import CUV
import Glibc
package import Primitives

/// Looks up host names.
///
/// `getaddrinfo` blocks and cannot be interrupted, so each lookup gets a thread of its own, a few at a time. They
/// are not libuv's: its workers are joined when the process exits, and a dead name server would hold that up for half a
/// minute.
package final class Resolver: Handle {
    /// Names one lookup, for `cancel`.
    package struct Lookup: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    private struct Waiting {
        let lookup: Lookup
        let host: String
        let port: UInt16
    }

    /// Threads at once: a dead name server holds each for up to half a minute.
    private static let mostThreads = 4
    /// A bootstrap list and a torrent's trackers are some dozens of names; the rest is answered with nothing.
    private static let mostWaiting = 256

    private let mailbox = ResolverMailbox()
    private var completions: [Lookup: ([Endpoint]) -> Void] = [:]
    private var waiting: [Waiting] = []
    private var threadCount = 0
    private var nextNumber: UInt64 = 0

    package init(loop: Loop) throws(SocketError) {
        super.init(on: loop)
        let code = open(uv_async_t.self) { raw in
            uv_async_init(loop.uv, raw) { raw in Handle.owner(of: raw, as: Resolver.self)?.answered() }
        }
        guard code == 0, let raw = pointer(uv_async_t.self) else { throw SocketError(code: code) }
        mailbox.open(ringing: raw)
    }

    /// Finds the IPv4 and IPv6 endpoints of a host; none if there are none or it cannot be told.
    ///
    /// The completion runs on the loop, exactly once unless cancelled, and not from inside this call (a closed resolver
    /// excepted). Closing the resolver or stopping the loop answers what is open with nothing.
    @discardableResult
    package func resolve(_ host: String, port: UInt16, completion: @escaping ([Endpoint]) -> Void) -> Lookup {
        let lookup = Lookup(number: nextNumber)
        nextNumber &+= 1
        guard isOpen else {
            completion([])
            return lookup
        }
        completions[lookup] = completion
        if let address = IPAddress(host) {
            mailbox.deliver(.init(lookup: lookup, endpoints: [Endpoint(address, port)], usedThread: false))
        } else if !Resolver.isPlausible(host) || waiting.count >= Resolver.mostWaiting {
            mailbox.deliver(.init(lookup: lookup, endpoints: [], usedThread: false))
        } else {
            waiting.append(Waiting(lookup: lookup, host: host, port: port))
            startThreads()
        }
        return lookup
    }

    /// Forgets the lookup: its completion does not run.
    package func cancel(_ lookup: Lookup) {
        completions[lookup] = nil
        waiting.removeAll { $0.lookup == lookup }
    }

    package override func close() {
        guard isOpen else { return }
        mailbox.close()
        super.close()
        waiting = []
        let open = completions.sorted { $0.key.number < $1.key.number }
        completions = [:]
        for (_, completion) in open { completion([]) }
    }

    /// RFC 1035's length; a NUL would cut the name short on its way through C.
    private static func isPlausible(_ host: String) -> Bool {
        !host.isEmpty && host.utf8.count <= 253 && !host.utf8.contains(0)
    }

    private func startThreads() {
        while threadCount < Resolver.mostThreads, !waiting.isEmpty {
            let next = waiting.removeFirst()
            threadCount += 1
            let job = ResolverJob(lookup: next.lookup, host: next.host, port: next.port, mailbox: mailbox)
            guard !job.start() else { continue }
            mailbox.deliver(.init(lookup: next.lookup, endpoints: [], usedThread: true))
        }
    }

    private func answered() {
        for answer in mailbox.take() {
            if answer.usedThread { threadCount -= 1 }
            completions.removeValue(forKey: answer.lookup)?(answer.endpoints)
        }
        if isOpen { startThreads() }
    }
}

/// Where the threads leave their answers.
private final class ResolverMailbox: Sendable {
    struct Answer {
        let lookup: Resolver.Lookup
        let endpoints: [Endpoint]
        let usedThread: Bool
    }

    private struct Content {
        var answers: [Answer] = []
        var bell: Bell?
    }

    /// Unchecked because pointers are not `Sendable`: `uv_async_send` is made for any thread, and the lock keeps the
    /// handle from closing meanwhile.
    private struct Bell: @unchecked Sendable {
        let raw: UnsafeMutablePointer<uv_async_t>
    }

    private let content = Lock(Content())

    func open(ringing raw: UnsafeMutablePointer<uv_async_t>) {
        let bell = Bell(raw: raw)
        content.withLock { $0.bell = bell }
    }

    func close() {
        content.withLock { $0 = Content() }
    }

    func deliver(_ answer: Answer) {
        content.withLock { content in
            guard let bell = content.bell else { return }
            content.answers.append(answer)
            uv_async_send(bell.raw)
        }
    }

    func take() -> [Answer] {
        content.withLock { content in
            defer { content.answers = [] }
            return content.answers
        }
    }
}

/// One lookup on its way through a thread, which may outlive resolver and loop.
private final class ResolverJob: Sendable {
    /// A name has a handful of addresses; an answer stuffed with more is cut.
    private static let mostEndpoints = 64

    private let lookup: Resolver.Lookup
    private let host: String
    private let port: UInt16
    private let mailbox: ResolverMailbox

    init(lookup: Resolver.Lookup, host: String, port: UInt16, mailbox: ResolverMailbox) {
        self.lookup = lookup
        self.host = host
        self.port = port
        self.mailbox = mailbox
    }

    /// False if there is no thread to be had.
    func start() -> Bool {
        var thread = pthread_t()
        // Balanced by `takeRetainedValue` in the thread, or below if there is none.
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread,
            nil,
            { context in
                guard let context else { return nil }
                // Safe: retained above for exactly this line.
                Unmanaged<ResolverJob>.fromOpaque(context).takeRetainedValue().run()
                return nil
            },
            context.toOpaque()
        )
        guard code == 0 else {
            context.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    private func run() {
        clinux_block_signals()
        clinux_name_thread("shoal-resolver")
        mailbox.deliver(.init(lookup: lookup, endpoints: endpoints(), usedThread: true))
    }

    private func endpoints() -> [Endpoint] {
        var hints = addrinfo()
        // One kind, or every address comes once per kind.
        hints.ai_socktype = Int32(bitPattern: SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &first) == 0 else { return [] }
        defer { freeaddrinfo(first) }
        var endpoints: [Endpoint] = []
        var next = first
        while let info = next, endpoints.count < ResolverJob.mostEndpoints {
            let bytes = UnsafeRawBufferPointer(start: info.pointee.ai_addr, count: Int(info.pointee.ai_addrlen))
            if var endpoint = SocketAddress.endpoint(in: bytes, count: bytes.count) {
                endpoint.port = port
                if !endpoints.contains(endpoint) { endpoints.append(endpoint) }
            }
            next = info.pointee.ai_next
        }
        return endpoints
    }
}
