package import Metainfo
package import Primitives

/// Where a tracker listens for announces (BEP 3, BEP 15, BEP 41).
package struct TrackerURL: Hashable, Sendable, CustomStringConvertible {
    package enum Scheme: String, Hashable, Sendable {
        case http
        case https
        case udp

        /// The port of a URL that names none; a UDP tracker has no usual one.
        var usualPort: UInt16? {
            switch self {
            case .http: 80
            case .https: 443
            case .udp: nil
            }
        }
    }

    /// Longer ones are no tracker's (`MetainfoLimits`).
    private static let mostBytes = 2048

    package let scheme: Scheme
    package let place: HostAndPort
    /// Path and query, as they go into a request: `/announce`, `/0123abcd/announce?x=y`.
    package let path: String

    /// Reads a URL; one without a path gets `/announce`. `nil` for another scheme, a host that is none, user names, and
    /// bytes that do not belong into a request line.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count <= TrackerURL.mostBytes, text.utf8.allSatisfy({ 0x21...0x7e ~= $0 }),
            let mark = text.firstRange(of: "://"), let scheme = Scheme(rawValue: text[..<mark.lowerBound].lowercased())
        else { return nil }
        let rest = text[mark.upperBound...].prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@"), let place = TrackerURL.place(authority, scheme) else { return nil }
        let path = rest[authority.endIndex...]
        self.init(scheme, place, path: path.isEmpty || path == "/" ? "/announce" : String(path))
    }

    private init(_ scheme: Scheme, _ place: HostAndPort, path: String) {
        self.scheme = scheme
        self.place = place
        self.path = path.first == "/" ? path : "/" + path
    }

    private static func place(_ authority: some StringProtocol, _ scheme: Scheme) -> HostAndPort? {
        if let place = HostAndPort(authority) { return place }
        guard let port = scheme.usualPort, authority.last != ":" else { return nil }
        return HostAndPort("\(authority):\(port)")
    }

    /// `http://host:port`, for what else a tracker node answers.
    package var root: String { "\(scheme.rawValue)://\(authority)" }

    /// What stands behind the `@` of `shoal fetch NAME@TRACKER`.
    package var nameSuffix: String { scheme == .http ? place.description : root }

    /// The URL of announces.
    package var text: String { root + path }

    /// Where this tracker is scraped (BEP 48): only where the last part of the path begins with `announce`.
    package var scrape: TrackerURL? {
        guard scheme != .udp else { return self }
        let pathOnly = path.prefix { $0 != "?" }
        guard let slash = pathOnly.lastIndex(of: "/") else { return nil }
        let last = pathOnly.index(after: slash)
        guard path[last...].hasPrefix("announce") else { return scrapeBeforePasskey }
        let rest = path[last...].dropFirst("announce".count)
        return TrackerURL(scheme, place, path: path[..<last] + "scrape" + rest)
    }

    /// `/announce/PASSKEY`, as our own tracker node has it.
    private var scrapeBeforePasskey: TrackerURL? {
        guard path.hasPrefix("/announce/") else { return nil }
        return TrackerURL(scheme, place, path: "/scrape/" + path.dropFirst("/announce/".count))
    }

    /// The same tracker with another path, as a passkey needs it.
    package func with(path: String) -> TrackerURL { TrackerURL(scheme, place, path: path) }

    /// An address has one family; a name may have both.
    package func canBeReached(in family: AddressFamily) -> Bool {
        place.endpoint.map { $0.address.family == family } ?? true
    }

    /// Whether a stranger may send us there: within our own network only to what is an announce by its path, or a torrent
    /// could make us call whatever a router or a program of this host does at a URL.
    package var isSafeFromStrangers: Bool { isOutside || scheme == .udp || withoutPasskey.path == "/announce" }

    /// Whether it is not in our own network, as far as its name tells.
    package var isOutside: Bool {
        place.endpoint.map(\.address.isPublic) ?? (place.host.lowercased() != "localhost")
    }

    /// Whether a tracker at an address may send us there, as another node of its own: by number, so that no name leads
    /// elsewhere, and not from the internet into our network.
    package func mayBeNamed(by tracker: IPAddress) -> Bool {
        guard let endpoint = place.endpoint, withoutPasskey.path == "/announce" else { return false }
        return tracker.mayName(endpoint.address)
    }

    /// The same for who has an account there, of a tracker that is named without one.
    ///
    /// - Parameter passkeys: by `host:port` in lower case.
    package func with(passkeys: [String: String]) -> TrackerURL {
        guard path == "/announce", let passkey = passkeys[place.description.lowercased()] else { return self }
        return with(path: "/announce/" + passkey)
    }

    /// The passkey of an account at a tracker of our kind: 40 hexadecimal digits behind `/announce/`.
    package var passkey: String? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 3 && parts[1] == "announce" && TrackerURL.isPasskey(parts[2]) ? String(parts[2]) : nil
    }

    /// Only what can stand in a path: a tracker that sends something else would put it into our requests.
    package static func isPasskey(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 40 && text.utf8.allSatisfy { Hex.value(of: $0) != nil }
    }

    /// What may be handed to others, who have passkeys of their own or none.
    package var withoutPasskey: TrackerURL { passkey == nil ? self : with(path: "/announce") }

    /// Without path and query, which may hold a passkey (R13).
    package var description: String { root }

    /// The port goes unsaid where it is the usual one.
    private var authority: String {
        guard place.port == scheme.usualPort else { return place.description }
        return place.host.contains(":") ? "[\(place.host)]" : place.host
    }
}
