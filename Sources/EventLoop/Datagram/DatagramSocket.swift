import CLinux
import Glibc
package import Primitives

/// Whom a datagram socket tells.
package protocol DatagramHandler: AnyObject {
    /// One datagram; `bytes` may not be kept.
    func datagramReceived(_ bytes: RawSpan, from sender: Endpoint, on socket: DatagramSocket)
    /// The end of a turn's batch: the moment to carry out what the machine gathered.
    func datagramsDrained(_ socket: DatagramSocket)
}

/// What a datagram socket counted.
package struct DatagramCounters: Hashable, Sendable {
    package var received = 0
    /// Longer than a slot: nothing that we speak is, so they are dropped unread.
    package var oversized = 0
    package var sent = 0
    /// Not sent because the socket's buffer was full. UDP loses datagrams anyway; the sender's time limit covers it.
    package var dropped = 0
    /// Not sent because the kernel refused: no route, a firewall (EPERM), another address family.
    package var refused = 0
}

/// A UDP socket.
package final class DatagramSocket: PolledSocket {
    /// The longest datagram we speak fits an Ethernet frame; anything over this is dropped.
    package static let mostBytes = 2048
    /// One `recvmmsg`; 32 slots saved 12-25 % per datagram against `recvfrom`.
    private static let slots = 32
    /// With `slots`, 256 datagrams a turn: a flood leaves the connections their turn.
    private static let receivesPerTurn = 8

    /// While there is none, datagrams wait in the kernel; the socket closes if it was set and is gone.
    package weak var handler: (any DatagramHandler)? {
        didSet { wantsRead = handler != nil }
    }
    package private(set) var counters = DatagramCounters()
    private let datagrams: OpaquePointer
    /// What `queue` was given and `flush` sends; made on first use.
    private var outgoing: OpaquePointer?

    /// Receives at `endpoint`; with port 0 the kernel picks one, which `localEndpoint` tells.
    package convenience init(
        loop: Loop,
        endpoint: Endpoint,
        handler: (any DatagramHandler)? = nil
    ) throws(SocketError) {
        try self.init(loop: loop, receiving: Descriptor.receiving(at: endpoint), handler: handler)
    }

    init(
        loop: Loop,
        receiving descriptor: consuming Descriptor,
        handler: (any DatagramHandler)?
    ) throws(SocketError) {
        guard let datagrams = clinux_datagrams_create(UInt32(DatagramSocket.slots), DatagramSocket.mostBytes) else {
            throw .system(errno: ENOMEM)
        }
        self.datagrams = datagrams
        self.handler = handler
        try super.init(loop: loop, descriptor: descriptor)
        wantsRead = handler != nil
    }

    deinit {
        clinux_datagrams_free(datagrams)
        clinux_datagrams_free(outgoing)
    }

    /// Asks the kernel for a longer receive queue: the default holds about 280 small datagrams, fewer than a swarm's
    /// burst.
    package func setReceiveBuffer(bytes: Int32) {
        guard isOpen else { return }
        Descriptor.set(descriptor, SOL_SOCKET, SO_RCVBUF, to: bytes)
    }

    // MARK: Sending

    /// Hands one datagram to the kernel; false if it was dropped, which is also counted.
    @discardableResult
    package func send(_ bytes: RawSpan, to endpoint: Endpoint) -> Bool {
        guard isOpen else { return false }
        let address = SocketAddress(endpoint)
        let code = bytes.withUnsafeBytes { bytes in
            address.withPointer { address, length in
                DatagramSocket.send(bytes, to: address, length, through: descriptor)
            }
        }
        switch code {
        case 0: counters.sent &+= 1
        case EAGAIN, ENOBUFS, ENOMEM: counters.dropped &+= 1
        default: counters.refused &+= 1
        }
        return code == 0
    }

    /// Copies one datagram of at most `mostBytes`, to be sent by `flush` together with others: one system call for 32
    /// of them costs a tenth less than one each. Longer ones are dropped.
    package func queue(_ bytes: RawSpan, to endpoint: Endpoint) {
        guard isOpen else { return }
        if outgoing == nil {
            outgoing = clinux_datagrams_create(UInt32(DatagramSocket.slots), DatagramSocket.mostBytes)
        }
        guard let outgoing, bytes.byteCount <= DatagramSocket.mostBytes else {
            counters.dropped &+= 1
            return
        }
        let address = SocketAddress(endpoint)
        let slotsLeft = bytes.withUnsafeBytes { bytes in
            address.withPointer { clinux_datagrams_queue(outgoing, bytes.baseAddress, bytes.count, $0, $1) }
        }
        if slotsLeft == 0 { flush() }
    }

    /// Hands what was queued to the kernel; called at the end of a turn.
    package func flush() {
        guard isOpen, let outgoing else { return }
        let result = clinux_datagrams_send(outgoing, descriptor)
        counters.sent &+= Int(result.sent)
        counters.dropped &+= Int(result.dropped)
        counters.refused &+= Int(result.refused)
    }

    /// 0 or an errno.
    private static func send(
        _ bytes: UnsafeRawBufferPointer,
        to address: UnsafePointer<sockaddr>,
        _ length: socklen_t,
        through descriptor: Int32
    ) -> Int32 {
        var attempts = 0
        while true {
            let flags = Int32(MSG_NOSIGNAL)
            guard sendto(descriptor, bytes.baseAddress, bytes.count, flags, address, length) < 0 else { return 0 }
            attempts += 1
            // A refusal speaks of an earlier datagram (an ICMP answer that came meanwhile), so this one is tried again.
            guard attempts < 3, errno == EINTR || errno == ECONNREFUSED else { return errno }
        }
    }

    // MARK: Receiving

    override func ready(toRead: Bool, toWrite: Bool) {
        guard toRead, wantsRead else { return }
        guard let handler else { return close() }
        for _ in 0..<DatagramSocket.receivesPerTurn {
            let count = clinux_datagrams_receive(datagrams, descriptor)
            // An error here is an ICMP answer to an earlier datagram, and taken by having been told.
            guard count > 0 else { break }
            deliver(count, to: handler)
            guard isOpen, count == DatagramSocket.slots else { break }
        }
        if isOpen { handler.datagramsDrained(self) }
    }

    private func deliver(_ count: Int32, to handler: any DatagramHandler) {
        for index in 0..<UInt32(count) {
            guard isOpen else { return }
            let datagram = clinux_datagrams_at(datagrams, index)
            guard !datagram.is_truncated else {
                counters.oversized &+= 1
                continue
            }
            let address = UnsafeRawBufferPointer(start: datagram.sender, count: datagram.sender_count)
            guard let sender = SocketAddress.endpoint(in: address, count: address.count) else { continue }
            counters.received &+= 1
            // Safe: the slot stays as it is until the next receive, and `RawSpan` cannot be kept beyond the call.
            let bytes = UnsafeRawBufferPointer(start: datagram.bytes, count: datagram.count)
            handler.datagramReceived(bytes.bytes, from: sender, on: self)
        }
    }
}
