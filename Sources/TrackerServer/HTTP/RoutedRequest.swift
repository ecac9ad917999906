package import HTTPServer
package import JSON
import Metainfo
package import Primitives

/// A request to the JSON API, and the way to answer it.
package struct RoutedRequest {
    package let request: HTTPRequest
    /// What stands at the stars of the route, decoded.
    package let parameters: [String]
    private let exchange: HTTPExchange

    init(_ request: HTTPRequest, parameters: [String], exchange: HTTPExchange) {
        self.request = request
        self.parameters = parameters
        self.exchange = exchange
    }

    /// Who asks.
    package var sender: IPAddress { request.sender.address }
    package var body: [UInt8] { request.body }

    /// A header; only until the request is answered.
    package func header(_ name: String) -> String? { exchange.header(name) }

    /// The passkey of `Authorization: Bearer PASSKEY` (RFC 6750).
    package var bearer: String? {
        let words = header("Authorization")?.split(separator: " ") ?? []
        return words.count == 2 && words[0].lowercased() == "bearer" ? String(words[1]) : nil
    }

    /// The first value of a name in the query, decoded; `nil` where it stands for no text.
    package func parameter(_ name: String) -> String? {
        for part in String(decoding: request.query, as: UTF8.self).split(separator: "&") {
            let words = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard words[0] == name else { continue }
            return String(validating: PercentEncoding.decode(words.count > 1 ? words[1] : ""), as: UTF8.self)
        }
        return nil
    }

    // MARK: Answers

    package func reply(_ json: JSONValue, status: Int = 200) {
        exchange.send(RoutedRequest.response(json, status: status))
    }

    package func reply(_ response: HTTPResponse) {
        exchange.send(response)
    }

    /// Says why it is not done.
    ///
    /// - Parameters:
    ///   - code: a word for programs, in snake case.
    ///   - message: a sentence for people, with nothing in it that the asker sent.
    ///   - retryAfter: seconds after which it may be tried again.
    package func fail(_ status: Int, _ code: String, _ message: String, retryAfter: Int64? = nil) {
        var response = RoutedRequest.response(["error": .string(code), "message": .string(message)], status: status)
        if let retryAfter { response.headers.append(.init("Retry-After", "\(retryAfter)")) }
        exchange.send(response)
    }

    private static func response(_ json: JSONValue, status: Int) -> HTTPResponse {
        var response = HTTPResponse(status: status, mediaType: "application/json", body: JSONWriter.bytes(json))
        // What it tells may be of an account, and is old in a second.
        response.headers = [.init("Cache-Control", "no-store"), .init("X-Content-Type-Options", "nosniff")]
        return response
    }
}
