import Metainfo
import Storage
package import TrackerProtocol

/// The passkeys that trackers gave us: `tracker.passkeys` in the state folder, for its owner's eyes alone (0600).
///
/// A line each: the tracker's host and port, the user's name, the passkey, and when it expires.
package struct PasskeyFile: Sendable {
    private let folder: String
    private let path: String

    /// Trackers that somebody has accounts at; the oldest lines make room.
    private static let mostLines = 1000
    private static let mostBytes = 1 << 18

    /// - Parameter folder: the state folder; made where it is missing.
    package init(folder: String) {
        self.folder = folder
        path = (folder.hasSuffix("/") ? String(folder.dropLast()) : folder) + "/tracker.passkeys"
    }

    /// The passkey for a tracker; `nil` without one, or where it has expired.
    ///
    /// - Parameter now: seconds since 1970.
    package func grant(for tracker: TrackerURL, at now: Int64) -> PasskeyGrant? {
        let grant = lines().first { $0.place == PasskeyFile.place(of: tracker) }?.grant
        return grant.flatMap { $0.expires > now ? $0 : nil }
    }

    /// All that are valid, by `host:port`.
    ///
    /// - Parameter now: seconds since 1970.
    package func passkeys(at now: Int64) -> [String: String] {
        let valid = lines().filter { $0.grant.expires > now }
        return Dictionary(valid.map { ($0.place, $0.grant.passkey) }) { first, _ in first }
    }

    /// - Returns: whether it was written.
    package func keep(_ grant: PasskeyGrant, for tracker: TrackerURL) -> Bool {
        let place = PasskeyFile.place(of: tracker)
        let others = lines().filter { $0.place != place }.suffix(PasskeyFile.mostLines - 1)
        return write(others + [Line(place: place, grant: grant)])
    }

    /// - Returns: whether there was one; `nil` where it could not be taken out.
    package func forget(_ tracker: TrackerURL) -> Bool? {
        let all = lines()
        let others = all.filter { $0.place != PasskeyFile.place(of: tracker) }
        guard others.count < all.count else { return false }
        return write(others) ? true : nil
    }

    private struct Line {
        let place: String
        let grant: PasskeyGrant
    }

    /// One port number speaks HTTP and UDP, and a host is the same in capitals.
    private static func place(of tracker: TrackerURL) -> String { tracker.place.description.lowercased() }

    private func lines() -> [Line] {
        guard let bytes = SmallFile.read(path, limit: PasskeyFile.mostBytes) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 4, TrackerURL.isPasskey(words[2]), let expires = Int64(words[3]) else { return nil }
            return Line(place: words[0], grant: PasskeyGrant(user: words[1], passkey: words[2], expires: expires))
        }
    }

    private func write(_ lines: some Sequence<Line>) -> Bool {
        let text = lines.map { "\($0.place) \($0.grant.user) \($0.grant.passkey) \($0.grant.expires)\n" }.joined()
        guard (try? PrivateFolder.create(folder)) != nil else { return false }
        return SmallFile.replace(path, with: Array(text.utf8))
    }
}
