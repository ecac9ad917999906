import CLibpq

/// A PostgreSQL URL as libpq understands it, taken apart only to be shown and to keep its password out of messages.
struct PostgresAddress {
    /// The URL without its password.
    let place: String
    private let secrets: [String]

    init(url: String) throws(StoreFault) {
        // libpq's own words on a bad URL repeat parts of it, so they are not read. Safe: the list ends with an entry
        // without a keyword, each string ends in NUL, and the list is freed once after the last look at it.
        guard clibpq_is_installed() else { throw .notInstalled }
        guard let options = unsafe PQconninfoParse(url, nil) else { throw .malformedURL }
        defer { unsafe PQconninfoFree(options) }
        var values: [String: String] = [:]
        var next = unsafe options
        while let keyword = unsafe next.pointee.keyword {
            if let value = unsafe next.pointee.val {
                unsafe values[String(cString: keyword)] = unsafe String(cString: value)
            }
            unsafe next += 1
        }
        secrets = ["password", "sslpassword"].compactMap { values[$0] }.filter { !$0.isEmpty }
        let user = values["user"].map { $0 + "@" } ?? ""
        let host = values["host"] ?? values["hostaddr"] ?? ""
        let port = values["port"].map { ":" + $0 } ?? ""
        place = "postgres://\(user)\(host)\(port)/\(values["dbname"] ?? "")"
    }

    /// A message of the server or of libpq, as one line that may be shown.
    func publicText(_ message: String) -> String {
        var text = message.split(separator: "\n").first.map(String.init) ?? "no reason given"
        for severity in ["ERROR:  ", "FATAL:  "] {
            if let range = text.firstRange(of: severity) { text.removeSubrange(range) }
        }
        for secret in secrets { text = text.replacing(secret, with: "...") }
        return String(text.prefix(300))
    }
}
