import CMicrohttpd
import Primitives

/// One request and its answer.
///
///     reading ──▶ asked ── send ──▶ answered ──▶ over
///                   └─ later: suspended ─┘
///
/// libmicrohttpd holds a reference from its first call to its last. Confined to the loop.
package final class HTTPExchange {
    enum Phase: Hashable {
        case reading
        /// The handler has been asked, and has not answered.
        case asked
        case answered
        case over
    }

    let head: RequestHead
    let connection: HTTPConnection
    var phase = Phase.reading
    var body: [UInt8] = []
    /// libmicrohttpd does not call for this connection until it is resumed.
    var isSuspended = false
    private var response: HTTPResponse?
    /// `nil` once libmicrohttpd is done with it.
    private var raw: OpaquePointer?
    private unowned let daemon: HTTPDaemon

    init(head: RequestHead, connection: HTTPConnection, raw: OpaquePointer, daemon: HTTPDaemon) {
        self.head = head
        self.connection = connection
        self.raw = raw
        self.daemon = daemon
    }

    var request: HTTPRequest {
        HTTPRequest(method: head.method ?? .get, target: head.target, sender: connection.client, body: body)
    }

    /// A header of the request, `nil` without it; for as long as there is no answer.
    ///
    /// - Parameter name: in any case.
    package func header(_ name: String) -> String? {
        guard let raw, phase != .over, let value = cmicrohttpd_header(raw, name) else { return nil }
        return String(cString: value)
    }

    /// Answers. The first answer counts; one that comes after the connection broke goes nowhere.
    package func send(_ response: HTTPResponse) {
        guard phase == .asked else { return }
        phase = .answered
        self.response = response
        if isSuspended, let raw {
            isSuspended = false
            // There is a connection still, so its daemon is there too.
            MHD_resume_connection(raw)
            daemon.runSoon()
        }
    }

    /// The answer, once.
    func takeResponse() -> HTTPResponse? {
        defer { response = nil }
        return response
    }

    /// libmicrohttpd is done with the request, or with the connection.
    func end() {
        phase = .over
        raw = nil
        isSuspended = false
    }
}
