/// Which database: what `--db` says.
package enum StoreURL: Hashable, Sendable {
    case sqlite(path: String)
    /// As libpq reads it, password and all.
    case postgres(String)

    /// Reads `sqlite:PATH`, `sqlite://PATH`, `postgres://...` and `postgresql://...`.
    package init(_ text: String) throws(StoreFault) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let scheme = parts.first?.lowercased() else {
            // A plain path is what a person types first; it is repeated only where it can be no URL with a password.
            throw .unknownScheme(text.contains("@") ? "" : String(text.prefix(80)))
        }
        let rest = String(parts[1])
        switch scheme {
        case "sqlite":
            let path = rest.hasPrefix("//") ? String(rest.dropFirst(2)) : rest
            guard !path.isEmpty, !path.utf8.contains(0) else { throw .missing(place: "sqlite:") }
            self = .sqlite(path: path)
        case "postgres", "postgresql":
            guard rest.hasPrefix("//"), !rest.utf8.contains(0) else { throw .malformedURL }
            // libpq wants the scheme in small letters.
            self = .postgres(scheme + ":" + rest)
        default: throw .unknownScheme(String(scheme.prefix(40)))
        }
    }
}

extension StoreURL: CustomStringConvertible, CustomDebugStringConvertible {
    // What prints this prints no password (R13).
    package var description: String {
        switch self {
        case .sqlite(let path): "sqlite:" + path
        case .postgres: "postgres://..."
        }
    }

    package var debugDescription: String { description }
}
