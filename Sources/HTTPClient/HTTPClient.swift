import CCurl
package import EventLoop
import Glibc
package import Primitives

/// Asks HTTP servers, many at a time, on the loop: libcurl's multi handle with our sockets and timer.
///
/// The rules for trackers hold for all (T14): replies are bounded, at most five redirects, none from the internet into
/// private networks, certificates are verified, nothing is decompressed. Confined to the loop.
package final class HTTPClient {
    /// Names one request, for `cancel`.
    package struct Ticket: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    /// Each may hold a socket and, while a name is looked up, a thread.
    private static let mostRunning = 64
    /// Of one host: a dead tracker of a thousand torrents must not keep the others waiting for its time-outs.
    private static let mostRunningPerHost = 8
    /// A thousand torrents of four trackers each; who has more announces later.
    private static let mostWaiting = 4096

    /// `curl_global_init` is to be called once, before all else.
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private let loop: Loop
    private let agent: String
    private let authorities: String?
    private let isPublic: (IPAddress) -> Bool
    /// `nil` once closed.
    private var multi: UnsafeMutableRawPointer?
    private var timer: Timer?
    private var sockets: [curl_socket_t: BorrowedSocket] = [:]
    private var running: [Ticket: Transfer] = [:]
    /// How many of them go to each host.
    private var hosts: [String: Int] = [:]
    private var waiting: [Transfer] = []
    /// Requests that cannot even begin are answered a turn later, as all are.
    private var refused: [(Transfer, HTTPClientError)] = []
    private var nextNumber: UInt64 = 0

    /// - Parameter agent: what we call ourselves.
    /// - Parameter authorities: a file of certificates to trust in place of the system's; `nil` for the one that the
    ///   environment names in `SSL_CERT_FILE`, as for other programs that use OpenSSL, or else the system's.
    /// - Parameter isPublic: which addresses are of the internet; tests, which have only loopback, say otherwise.
    package init(
        loop: Loop,
        agent: String = "shoal",
        authorities: String? = nil,
        isPublic: @escaping (IPAddress) -> Bool = { $0.isPublic }
    ) throws(HTTPClientError) {
        guard ccurl_is_installed() else { throw .other("libcurl is not installed (Debian's package libcurl4)") }
        guard HTTPClient.isReady, let multi = curl_multi_init() else { throw .other("libcurl cannot be started") }
        self.loop = loop
        self.agent = agent
        self.authorities = authorities ?? getenv("SSL_CERT_FILE").map { String(cString: $0) }
        self.isPublic = isPublic
        self.multi = multi
        timer = Timer(loop: loop, handler: self)
        setCallbacks()
    }

    deinit {
        close()
    }

    // MARK: Requests

    /// Sends a request. The completion runs on the loop exactly once, unless cancelled, and not from inside this call
    /// (that of a closed client excepted).
    @discardableResult
    package func send(
        _ request: HTTPClientRequest,
        completion: @escaping (Result<HTTPClientReply, HTTPClientError>) -> Void
    ) -> Ticket {
        let ticket = Ticket(number: nextNumber)
        nextNumber &+= 1
        guard
            multi != nil,
            let transfer = Transfer(request, ticket: ticket, isPublic: isPublic, completion: completion)
        else {
            completion(.failure(.closed))
            return ticket
        }
        if let error = transfer.prepare(agent: agent, authorities: authorities) {
            refuse(transfer, error)
        } else if waiting.count >= HTTPClient.mostWaiting {
            refuse(transfer, .tooManyRequests)
        } else {
            waiting.append(transfer)
            startWaiting()
        }
        return ticket
    }

    /// Forgets a request: its completion does not run.
    package func cancel(_ ticket: Ticket) {
        waiting.removeAll { $0.ticket == ticket }
        refused.removeAll { $0.0.ticket == ticket }
        guard let transfer = removeRunning(ticket) else { return }
        if let multi { curl_multi_remove_handle(multi, transfer.easy) }
        startWaiting()
    }

    /// Ends all that runs; what is open is answered with `closed`.
    package func close() {
        guard let multi else { return }
        self.multi = nil
        // From here on libcurl's callbacks would find an object that is going.
        ccurl_multi_set_callbacks(multi, nil, nil, nil)
        for socket in sockets.values { socket.close() }
        sockets = [:]
        timer?.close()
        timer = nil
        let open = running.values.sorted { $0.ticket.number < $1.ticket.number } + waiting + refused.map(\.0)
        for transfer in running.values { curl_multi_remove_handle(multi, transfer.easy) }
        running = [:]
        hosts = [:]
        waiting = []
        refused = []
        curl_multi_cleanup(multi)
        for transfer in open { transfer.completion(.failure(.closed)) }
    }

    private func refuse(_ transfer: Transfer, _ error: HTTPClientError) {
        refused.append((transfer, error))
        timer?.start(at: loop.now)
    }

    private func startWaiting() {
        guard let multi else { return }
        while running.count < HTTPClient.mostRunning,
            let index = waiting.firstIndex(where: { hosts[$0.host, default: 0] < HTTPClient.mostRunningPerHost })
        {
            let next = waiting.remove(at: index)
            running[next.ticket] = next
            hosts[next.host, default: 0] += 1
            // It rings the timer, and does nothing else yet.
            curl_multi_add_handle(multi, next.easy)
        }
    }

    private func removeRunning(_ ticket: Ticket) -> Transfer? {
        guard let transfer = running.removeValue(forKey: ticket) else { return nil }
        let left = hosts[transfer.host, default: 1] - 1
        hosts[transfer.host] = left > 0 ? left : nil
        return transfer
    }

    // MARK: Turns

    /// Lets libcurl work, and tells of what has ended.
    private func act(on socket: curl_socket_t, _ events: Int32) {
        guard let multi else { return }
        var count: Int32 = 0
        curl_multi_socket_action(multi, socket, events, &count)
        finishEnded()
    }

    private func finishEnded() {
        var code = CURLE_OK
        while let multi, let easy = ccurl_multi_next_ended(multi, &code) {
            guard let transfer = Transfer.owning(easy) else { continue }
            let result = transfer.result(code)
            curl_multi_remove_handle(multi, easy)
            _ = removeRunning(transfer.ticket)
            startWaiting()
            transfer.completion(result)
        }
    }

    private func setCallbacks() {
        guard let multi else { return }
        // Safe: libcurl calls back only from inside our own calls, and `close`, which `deinit` calls, unsets this.
        let context = Unmanaged.passUnretained(self).toOpaque()
        ccurl_multi_set_callbacks(
            multi,
            { _, socket, what, context, _ in
                guard let context else { return 0 }
                // Safe: as above; the same holds for the timer's.
                Unmanaged<HTTPClient>.fromOpaque(context).takeUnretainedValue().watch(socket, for: what)
                return 0
            },
            { _, milliseconds, context in
                guard let context else { return 0 }
                Unmanaged<HTTPClient>.fromOpaque(context).takeUnretainedValue().setTimer(in: milliseconds)
                return 0
            },
            context
        )
    }

    private func watch(_ number: curl_socket_t, for what: Int32) {
        guard what != CURL_POLL_REMOVE else {
            sockets.removeValue(forKey: number)?.close()
            return
        }
        if sockets[number]?.isOpen != true {
            // Without a watcher the transfer ends by its timeout.
            sockets[number] = try? BorrowedSocket(loop: loop, number: number, handler: self)
        }
        sockets[number]?.wantsRead = what & CURL_POLL_IN != 0
        sockets[number]?.wantsWrite = what & CURL_POLL_OUT != 0
    }

    private func setTimer(in milliseconds: Int) {
        if milliseconds >= 0 {
            timer?.start(at: loop.now + .milliseconds(milliseconds))
        } else if refused.isEmpty {
            timer?.cancel()
        }
    }
}

extension HTTPClient: BorrowedSocketHandler {
    package func borrowedSocketReady(_ socket: BorrowedSocket, toRead: Bool, toWrite: Bool) {
        let events = (toRead ? CURL_CSELECT_IN : 0) | (toWrite ? CURL_CSELECT_OUT : 0)
        act(on: socket.number, events)
    }
}

extension HTTPClient: TimerHandler {
    package func timerFired(_ timer: Timer) {
        let answered = refused
        refused = []
        for (transfer, error) in answered { transfer.completion(.failure(error)) }
        act(on: CURL_SOCKET_TIMEOUT, 0)
    }
}
