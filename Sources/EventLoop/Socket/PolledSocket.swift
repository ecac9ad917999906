import CUV
import Glibc
package import Primitives

/// A socket that the loop watches: libuv says when, we (or the library that lends it) do the reading and writing.
///
/// Interest changes are collected and applied once, before the loop waits: `uv_poll_start` costs two `epoll_ctl` calls,
/// and a stream may change its mind many times in a turn.
package class PolledSocket: Handle {
    /// -1 after `close`.
    private(set) final var descriptor: Int32 = -1
    private final let isOwner: Bool
    /// What libuv watches for now, in its flags.
    private final var armed: Int32 = 0
    private final var isListed = false

    /// Whether to be told that there is something to read (or accept, or an end or an error to find by reading).
    package final var wantsRead = false {
        didSet { if wantsRead != oldValue { listChange() } }
    }

    /// Whether to be told that there is room to write.
    package final var wantsWrite = false {
        didSet { if wantsWrite != oldValue { listChange() } }
    }

    init(loop: Loop, descriptor: consuming Descriptor) throws(SocketError) {
        isOwner = true
        super.init(on: loop)
        try watch(descriptor.number)
        self.descriptor = descriptor.take()
    }

    /// Watches a descriptor that somebody else closes, after this is closed.
    init(loop: Loop, borrowing number: Int32) throws(SocketError) {
        isOwner = false
        super.init(on: loop)
        try watch(number)
        descriptor = number
    }

    private func watch(_ number: Int32) throws(SocketError) {
        let code = open(uv_poll_t.self) { uv_poll_init(loop.uv, $0, number) }
        guard code == 0 else { throw SocketError(code: code) }
    }

    /// The local end, `nil` when closed.
    package final var localEndpoint: Endpoint? { isOpen ? Descriptor.localEndpoint(of: descriptor) : nil }

    package override func close() {
        guard isOpen else { return }
        // In this order: libuv takes the number out of epoll before the kernel may give it to another socket.
        super.close()
        if isOwner { _ = Glibc.close(descriptor) }
        descriptor = -1
    }

    /// The socket is ready; overridden by each kind. An error counts as both: the next call finds it.
    func ready(toRead: Bool, toWrite: Bool) {}

    private func listChange() {
        guard isOpen, !isListed else { return }
        isListed = true
        loop.interestChanged(of: self)
    }

    /// Called by the loop before it waits.
    final func applyInterest() {
        isListed = false
        guard let raw = pointer(uv_poll_t.self) else { return }
        let wanted = (wantsRead ? Int32(UV_READABLE.rawValue) : 0) | (wantsWrite ? Int32(UV_WRITABLE.rawValue) : 0)
        guard wanted != armed else { return }
        armed = wanted
        guard wanted != 0 else {
            uv_poll_stop(raw)
            return
        }
        uv_poll_start(raw, wanted) { raw, status, events in
            Handle.owner(of: raw, as: PolledSocket.self)?.polled(status: status, events: events)
        }
    }

    private func polled(status: Int32, events: Int32) {
        guard status == 0 else {
            // libuv stops watching a socket in error. Data may still be queued before the error: watch on until it is
            // read.
            armed = 0
            listChange()
            return ready(toRead: true, toWrite: true)
        }
        ready(
            toRead: events & Int32(UV_READABLE.rawValue) != 0,
            toWrite: events & Int32(UV_WRITABLE.rawValue) != 0
        )
    }
}
