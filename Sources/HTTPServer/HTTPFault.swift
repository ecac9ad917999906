/// Why a request gets no further than HTTP itself. The number is the status.
enum HTTPFault: Int {
    case badRequest = 400
    case methodNotAllowed = 405
    case lengthRequired = 411
    case bodyTooLong = 413
    case targetTooLong = 414
    case headersTooLong = 431
    case unavailable = 503

    var sentence: String {
        switch self {
        case .badRequest: "This is not a request for a path."
        case .methodNotAllowed: "This method is not served."
        case .lengthRequired: "A body has to say how long it is."
        case .bodyTooLong: "The body is too long, or has no place here."
        case .targetTooLong: "The path and query are too long."
        case .headersTooLong: "The headers are too long."
        case .unavailable: "There is no answer for the moment."
        }
    }
}

extension HTTPResponse {
    /// Plain text, and the end of the connection: what follows a faulty head may be anything.
    static func fault(_ fault: HTTPFault) -> HTTPResponse {
        var response = HTTPResponse(status: fault.rawValue, text: fault.sentence + "\n")
        response.closes = true
        if fault == .methodNotAllowed {
            let methods = HTTPMethod.allCases.map(\.rawValue).joined(separator: ", ")
            response.headers = [Header("Allow", methods)]
        }
        return response
    }
}
