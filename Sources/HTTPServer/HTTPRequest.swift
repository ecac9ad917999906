package import Primitives

package enum HTTPMethod: String, Hashable, Sendable, CaseIterable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"

    /// As it stands in a request.
    var word: StaticString {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        }
    }
}

/// One request, read whole.
package struct HTTPRequest: Sendable {
    package let method: HTTPMethod
    /// Path and query as they came, percent-encoding and all.
    package let target: [UInt8]
    /// The other end of the connection, or for whom a proxy that is believed sent it.
    package let sender: Endpoint
    package var body: [UInt8] = []

    package init(method: HTTPMethod, target: [UInt8], sender: Endpoint, body: [UInt8] = []) {
        self.method = method
        self.target = target
        self.sender = sender
        self.body = body
    }

    /// What stands before the first `?`.
    package var path: ArraySlice<UInt8> { target.prefix { $0 != UInt8(ascii: "?") } }
    /// What stands behind it; empty without one.
    package var query: ArraySlice<UInt8> { target.dropFirst(path.count + 1) }
}

/// What a server answers.
package struct HTTPResponse: Hashable, Sendable {
    package var status: Int
    /// `Content-Type`; no such header when empty.
    package var mediaType: String
    package var body: [UInt8]
    /// Others than those of length, date and connection, which are written without being asked for.
    package var headers: [Header] = []

    package struct Header: Hashable, Sendable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(status: Int = 200, mediaType: String = "text/plain; charset=utf-8", body: [UInt8]) {
        self.status = status
        self.mediaType = mediaType
        self.body = body
    }

    package init(status: Int, text: String) {
        self.init(status: status, body: Array(text.utf8))
    }
}

/// Whom an HTTP server asks. Both are called on the loop.
package protocol HTTPHandler: AnyObject {
    /// How long a body the request may have; `nil` where it may have none at all.
    ///
    /// - Parameter request: without its body yet.
    func mostBodyBytes(of request: HTTPRequest) -> Int?
    /// Answers, now or later: by `exchange.send`, once.
    func respond(to request: HTTPRequest, through exchange: HTTPExchange)
}
