package import Primitives

/// A link that names a torrent by its info-hash (BEP 9) or by who publishes its versions (BEP 46), with hints where to
/// find it.
package struct MagnetLink: Hashable, Sendable {
    /// `xt`; `nil` only where `updates` is not.
    package private(set) var infoHash: InfoHash?
    /// `xs` and `s`: who says which torrent is meant today.
    package private(set) var updates: UpdateSource?
    /// `dn`: what to call the torrent until its metadata is here; fit for display, not as a file name.
    package var displayName: String?
    /// `xl`: all bytes of the torrent, as somebody claims.
    package var totalSize: Int64?
    /// `tr`
    package var trackers: [String] = []
    /// `x.pe`: peers to try at once.
    package var peers: [HostAndPort] = []
    /// `so`: the indices of the files that are wanted (BEP 53); empty for all of them.
    package var selectedFiles: [ClosedRange<Int>] = []

    package init(_ infoHash: InfoHash) { self.infoHash = infoHash }

    package init(_ updates: UpdateSource) { self.updates = updates }

    /// Bytes in a link; longer ones are refused before anything is read.
    package static let longest = 64 << 10
    /// Trackers and peers each; more are passed over.
    package static let mostHints = 100
    /// Ranges in `so`; more are passed over.
    package static let mostSelections = 1000

    /// Reads a link. Parameters that are unknown or make no sense are passed over, all but those that name the torrent.
    package init(parsing text: String) throws(MagnetError) {
        guard text.utf8.count <= MagnetLink.longest else { throw .longerThan(MagnetLink.longest) }
        let scheme = text.utf8.prefix(8)
        guard String(Substring(scheme)).lowercased() == "magnet:?" else { throw .notAMagnetLink }
        var topics = Topics()
        var link = MagnetLink()
        for parameter in Substring(text.utf8.dropFirst(8)).split(separator: "&") {
            let halves = parameter.utf8.split(
                separator: UInt8(ascii: "="),
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            guard halves.count == 2 else { continue }
            let key = MagnetLink.key(Substring(halves[0]))
            switch key {
            case "xt": topics.add(PercentEncoding.decode(Substring(halves[1])))
            case "xs": topics.add(source: PercentEncoding.decode(Substring(halves[1])))
            case "s": topics.add(salt: PercentEncoding.decode(Substring(halves[1])))
            default: link.read(key, Substring(halves[1]))
            }
        }
        link.updates = try topics.updates()
        link.infoHash = try topics.infoHash(isNeeded: link.updates == nil)
        self = link
    }

    private init() {}

    /// The name of a parameter without the number that tells repeated ones apart (`tr.1`).
    private static func key(_ text: Substring) -> String {
        let parts = text.lowercased().split(separator: ".", maxSplits: 1)
        if parts.count == 2, parts[1].utf8.allSatisfy({ 48...57 ~= $0 }) { return String(parts[0]) }
        return text.lowercased()
    }

    private mutating func read(_ key: String, _ value: Substring) {
        let bytes = PercentEncoding.decode(value, plusIsSpace: key == "dn")
        switch key {
        case "dn": displayName = bytes.isEmpty ? nil : DisplayText.clean(bytes.span.bytes)
        case "xl":
            if let size = Int64(String(decoding: bytes, as: UTF8.self)), 0..<FileLayout.totalLimit ~= size {
                totalSize = size
            }
        case "tr":
            guard trackers.count < MagnetLink.mostHints, (1...2048).contains(bytes.count),
                bytes.allSatisfy({ 0x21...0x7e ~= $0 })
            else { return }
            trackers.append(String(decoding: bytes, as: UTF8.self))
        case "x.pe":
            guard peers.count < MagnetLink.mostHints, let peer = HostAndPort(String(decoding: bytes, as: UTF8.self))
            else { return }
            peers.append(peer)
        case "so": select(String(decoding: bytes, as: UTF8.self))
        default: break
        }
    }

    /// Reads `0,2,6-8`.
    private mutating func select(_ text: String) {
        for part in text.split(separator: ",") {
            guard selectedFiles.count < MagnetLink.mostSelections else { return }
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt32($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first <= last
            else { continue }
            selectedFiles.append(Int(first)...Int(last))
        }
    }
}

extension MagnetLink {
    /// The `xt` parameters of a link.
    private struct Topics {
        private var found: InfoHash?
        /// The first topic that is none of ours, cut short.
        private var other: MagnetError?

        /// The publisher's key as the link has it, and the salt.
        private var key: String?
        private var salt = ""

        /// Anything but a key is a place to fetch the torrent from, which we pass over; the first key counts.
        mutating func add(source bytes: [UInt8]) {
            let source = Topics.text(bytes)
            guard key == nil, source.lowercased().hasPrefix("urn:btpk:") else { return }
            key = String(source.dropFirst(9))
        }

        mutating func add(salt bytes: [UInt8]) {
            if salt.isEmpty { salt = String(decoding: bytes, as: UTF8.self) }
        }

        /// A key or a salt that is not understood is refused: with another one, another publisher would be believed.
        func updates() throws(MagnetError) -> UpdateSource? {
            guard let text = key else { return nil }
            guard let key = UpdateSource.key(hex: text) else { throw .malformedKey(text) }
            guard let salt = Hex.decode(salt), let source = UpdateSource(key: key, salt: salt) else {
                throw .malformedSalt
            }
            return source
        }

        /// Fit for display, and cut short.
        private static func text(_ bytes: [UInt8]) -> String {
            DisplayText.clean(String(decoding: bytes.prefix(80), as: UTF8.self))
        }

        /// A link may have several (BEP 52: one for each version); the first v1 hash counts.
        mutating func add(_ bytes: [UInt8]) {
            let topic = Topics.text(bytes)
            let lowercased = topic.lowercased()
            if lowercased.hasPrefix("urn:btih:") {
                if found == nil { found = InfoHash(text: topic.dropFirst(9)) }
                if found == nil { other = .malformedInfoHash(String(topic.dropFirst(9))) }
            } else if other == nil {
                other = lowercased.hasPrefix("urn:btmh:") ? .versionTwoOnly : .unknownTopic(topic)
            }
        }

        func infoHash(isNeeded: Bool) throws(MagnetError) -> InfoHash? {
            if found != nil || !isNeeded { return found }
            throw other ?? .noTopic
        }
    }
}

extension MagnetLink: CustomStringConvertible {
    /// The link as text, which reads back as the same value.
    package var description: String {
        // Legible where it may be: none of these ends a parameter.
        let keeping: Set<UInt8> = [UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "["), UInt8(ascii: "]")]
        let names = [infoHash.map { "xt=urn:btih:\($0.hex)" }, updates?.parameters].compactMap(\.self)
        var text = "magnet:?" + names.joined(separator: "&")
        if let displayName { text += "&dn=\(PercentEncoding.encode(displayName))" }
        if let totalSize { text += "&xl=\(totalSize)" }
        for tracker in trackers { text += "&tr=\(PercentEncoding.encode(tracker))" }
        for peer in peers { text += "&x.pe=\(PercentEncoding.encode(peer.description, keeping: keeping))" }
        if !selectedFiles.isEmpty {
            let ranges = selectedFiles.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            text += "&so=\(ranges.joined(separator: ","))"
        }
        return text
    }
}

/// Why a text is not a magnet link that we can follow.
package enum MagnetError: Error, Hashable, Sendable {
    case notAMagnetLink
    case longerThan(Int)
    /// No `xt`.
    case noTopic
    /// An `xt` of another network.
    case unknownTopic(String)
    case malformedInfoHash(String)
    case versionTwoOnly
    /// An `xs=urn:btpk:` without a key.
    case malformedKey(String)
    case malformedSalt
}

extension MagnetError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notAMagnetLink: "not a magnet link: it does not begin with 'magnet:?'"
        case .longerThan(let count): "the magnet link is longer than \(count) bytes"
        case .noTopic: "the magnet link names no torrent: 'xt' is missing, and so is 'xs=urn:btpk:'"
        case .unknownTopic(let topic): "the magnet link names '\(topic)', which is not a BitTorrent info-hash"
        case .malformedInfoHash(let text):
            "'\(text)' is not an info-hash: neither 40 hexadecimal digits nor 32 in base 32"
        case .versionTwoOnly: "the magnet link is for a v2 torrent only; v2 torrents are not supported yet"
        case .malformedKey(let text): "'\(text)' is not a public key: 64 hexadecimal digits are needed"
        case .malformedSalt: "the salt 's' of the magnet link is not hexadecimal, or longer than 64 bytes"
        }
    }
}
