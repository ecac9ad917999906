import Metainfo
import Primitives
import Shoal

/// What `fetch` was asked for, before any file is read.
enum FetchTarget: Hashable, Sendable {
    case magnet(String)
    /// A magnet link that names a publisher, whose newest version is meant (BEP 46).
    case published(String)
    /// 40 hexadecimal or 32 base32 digits.
    case infoHash(String)
    /// The path of a `.torrent`.
    case file(String)

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
            throw ShoalError(
                .usage,
                "fetching a .torrent by URL is not in this version; download it and pass the file"
            )
        } else if exists(text) {
            self = .file(text)
        } else {
            throw FetchTarget.refusal(of: text)
        }
    }

    private static func refusal(of text: String) -> ShoalError {
        if let split = text.lastIndex(of: "@"), text[text.index(after: split)...].contains(":") {
            return ShoalError(
                .usage,
                "fetching by name from a tracker (NAME@TRACKER) is not in this version; pass a magnet link or an info-hash"
            )
        }
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
            "'\(text)' is no magnet link, no info-hash (40 hexadecimal or 32 base32 digits) and no .torrent file here"
        )
    }
}
