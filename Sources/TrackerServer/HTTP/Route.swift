package import HTTPServer
import Metainfo

/// A place of the JSON API, and who answers there.
package struct Route {
    package let method: HTTPMethod
    /// Its parts between slashes; `*` stands for any one.
    let parts: [String]
    /// How long a body it takes; `nil` for none at all.
    let mostBodyBytes: Int?
    let answer: (RoutedRequest) -> Void

    /// - Parameters:
    ///   - pattern: a path as `/api/v1/files/*`; what stands in place of a `*` is handed over decoded.
    ///   - answer: called on the loop; answers now or later, once.
    package init(
        _ method: HTTPMethod,
        _ pattern: String,
        mostBodyBytes: Int? = nil,
        answer: @escaping (RoutedRequest) -> Void
    ) {
        self.method = method
        self.parts = pattern.split(separator: "/").map(String.init)
        self.mostBodyBytes = mostBodyBytes
        self.answer = answer
    }

    /// What stands at the stars; `nil` for another path, and for one that is no UTF-8.
    func parameters(in path: [Substring]) -> [String]? {
        guard path.count == parts.count else { return nil }
        var parameters: [String] = []
        for (part, found) in zip(parts, path) {
            if part == "*" {
                let bytes = PercentEncoding.decode(found)
                guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
                parameters.append(text)
            } else if found != part {
                return nil
            }
        }
        return parameters
    }
}

/// All routes. A handful, looked through one by one: announces do not come here.
struct RouteTable {
    enum Match {
        case route(Route, parameters: [String])
        /// The path is known, with these methods.
        case otherMethods([HTTPMethod])
        case nothing
    }

    private var routes: [Route] = []

    mutating func add(_ route: Route) {
        routes.append(route)
    }

    /// - Parameter method: HEAD finds what GET does.
    func match(_ method: HTTPMethod, _ path: ArraySlice<UInt8>) -> Match {
        // A slash that is encoded parts nothing.
        let path = String(decoding: path, as: UTF8.self).split(separator: "/")
        let wanted = method == .head ? .get : method
        var others: [HTTPMethod] = []
        for route in routes {
            guard let parameters = route.parameters(in: path) else { continue }
            if route.method == wanted { return .route(route, parameters: parameters) }
            others.append(route.method)
        }
        return others.isEmpty ? .nothing : .otherMethods(others)
    }
}
