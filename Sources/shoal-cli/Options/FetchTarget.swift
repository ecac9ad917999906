import Metainfo
import Primitives
import Shoal
import TrackerProtocol

/// What `fetch` was asked for, before any file is read.
enum FetchTarget: Hashable, Sendable {
    case magnet(String)
    /// A magnet link that names a publisher, whose newest version is meant (BEP 46).
    case published(String)
    /// 40 hexadecimal or 32 base32 digits.
    case infoHash(String)
    /// The path of a `.torrent`.
    case file(String)
    /// Where a `.torrent` can be had, over http or https.
    case url(String)
    /// A file of a tracker's catalogue.
    case named(String, tracker: String)
    /// Whatever a tracker's catalogue has.
    case any(tracker: String)

    /// - Parameters:
    ///   - text: the argument of `fetch`.
    ///   - exists: whether a path names something on disk.
    init(_ text: String, exists: (String) -> Bool) throws(ShoalError) {
        let lowercased = text.lowercased()
        if lowercased.hasPrefix("magnet:") {
            let link: MagnetLink
            do throws(MagnetError) {
                link = try MagnetLink(parsing: text)
            } catch {
                throw ShoalError(.usage, "\(error)")
            }
            self = link.updates == nil ? .magnet(text) : .published(text)
        } else if InfoHash(text: text) != nil {
            self = .infoHash(text)
        } else if lowercased.hasPrefix("http://") || lowercased.hasPrefix("https://") {
            self = .url(text)
        } else if exists(text) {
            self = .file(text)
        } else if let named = FetchTarget.named(in: text) {
            self = named
        } else {
            throw FetchTarget.refusal(of: text)
        }
    }

    /// `NAME@TRACKER`, split at the last `@`; the tracker is a URL or `host:port`.
    private static func named(in text: String) -> FetchTarget? {
        guard let split = text.lastIndex(of: "@"), split > text.startIndex else { return nil }
        let tracker = String(text[text.index(after: split)...])
        let url = tracker.contains("://") ? tracker : "http://" + tracker
        guard let parsed = TrackerURL(url), parsed.scheme != .udp, tracker.contains(":") else { return nil }
        return .named(String(text[..<split]), tracker: url)
    }

    private static func refusal(of text: String) -> ShoalError {
        let isHexadecimal = text.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (97...102).contains(byte | 0x20)
        }
        if isHexadecimal, (24...64).contains(text.utf8.count) {
            return ShoalError(
                .usage,
                "'\(text)' has \(text.utf8.count) hexadecimal digits; an info-hash has 40 (or 32 base32 digits)"
            )
        }
        if text.hasSuffix(".torrent") || text.contains("/") {
            return ShoalError(.notFound, "there is no file '\(text)'; give the path of a .torrent that exists")
        }
        return ShoalError(
            .usage,
            "'\(text)' is no magnet link, no info-hash (40 hexadecimal or 32 base32 digits), no .torrent file here and no "
                + "NAME@HOST:PORT"
        )
    }
}
