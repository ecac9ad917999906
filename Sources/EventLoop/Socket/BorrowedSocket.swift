import Primitives

/// Whom a borrowed socket tells.
package protocol BorrowedSocketHandler: AnyObject {
    /// It is ready. An error counts as both: the library that owns it finds out.
    func borrowedSocketReady(_ socket: BorrowedSocket, toRead: Bool, toWrite: Bool)
}

/// Watches a descriptor that a C library owns, opens and closes (libcurl's sockets, libmicrohttpd's epoll).
///
/// Its owner must end the watching with `close()` before the library closes the descriptor.
package final class BorrowedSocket: PolledSocket {
    package weak var handler: (any BorrowedSocketHandler)?
    /// What the library knows it by.
    package let number: Int32

    package init(loop: Loop, number: Int32, handler: any BorrowedSocketHandler) throws(SocketError) {
        self.handler = handler
        self.number = number
        try super.init(loop: loop, borrowing: number)
    }

    override func ready(toRead: Bool, toWrite: Bool) {
        guard let handler else { return close() }
        handler.borrowedSocketReady(self, toRead: toRead, toWrite: toWrite)
    }
}
