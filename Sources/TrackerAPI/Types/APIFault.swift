package import JSON

/// Why a call of `/api/v1` was not done, as the server says it: a status, a word for programs, a sentence for people.
package struct APIFault: Error, Hashable, Sendable {
    package var status: Int
    /// A snake_case word.
    package var code: String
    package var message: String
    /// Seconds after which it may be tried again (`Retry-After`).
    package var retryAfter: Int64?

    package init(status: Int, code: String, message: String, retryAfter: Int64? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    /// Reads an answer that is no success.
    package init(status: Int, _ json: JSONValue?, retryAfter: Int64?) {
        self.init(
            status: status,
            code: json?["error"]?.string ?? "status_\(status)",
            message: json?["message"]?.string ?? "the tracker answered with status \(status)",
            retryAfter: retryAfter
        )
    }

    package var json: JSONValue { ["error": .string(code), "message": .string(message)] }
}
