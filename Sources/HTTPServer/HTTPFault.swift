/// Why a request gets no further than HTTP itself. The number is the status.
enum HTTPFault: Int, Error, Hashable {
    case badRequest = 400
    case methodNotAllowed = 405
    case lengthRequired = 411
    case bodyTooLong = 413
    case targetTooLong = 414
    case headersTooLong = 431
    case overloaded = 503

    private var reason: String {
        switch self {
        case .badRequest: "Bad Request"
        case .methodNotAllowed: "Method Not Allowed"
        case .lengthRequired: "Length Required"
        case .bodyTooLong: "Content Too Large"
        case .targetTooLong: "URI Too Long"
        case .headersTooLong: "Request Header Fields Too Large"
        case .overloaded: "Service Unavailable"
        }
    }

    private var sentence: String {
        switch self {
        case .badRequest: "This is no request of HTTP."
        case .methodNotAllowed: "This method is not served."
        case .lengthRequired: "A body has to say how long it is."
        case .bodyTooLong: "The body is too long, or has no place here."
        case .targetTooLong: "The path and query are too long."
        case .headersTooLong: "The headers are too long."
        case .overloaded: "Too much is being sent at the moment."
        }
    }

    /// The whole answer: plain text, nothing of what was sent, and the end of the connection.
    var reply: [UInt8] {
        var head = ["HTTP/1.1 \(rawValue) \(reason)", "Content-Type: text/plain; charset=utf-8", "Connection: close"]
        if self == .methodNotAllowed {
            head.append("Allow: " + HTTPMethod.allCases.map(\.rawValue).joined(separator: ", "))
        }
        if self == .overloaded { head.append("Retry-After: 5") }
        head.append("Content-Length: \(sentence.utf8.count + 1)")
        return Array((head.joined(separator: "\r\n") + "\r\n\r\n\(sentence)\n").utf8)
    }
}

extension HTTPResponse {
    /// Nobody has answered, and nobody will.
    static let unavailable = HTTPResponse(status: 503, text: "There is no answer for the moment.\n")
}
