package import Primitives

/// Whom a tracker serves, and with what: a value that is replaced as a whole (T12), so that no announce meets half of a
/// new list.
package struct Admission: Sendable {
    /// Which torrents it serves.
    package enum Torrents: Hashable, Sendable {
        case all
        case only(Set<InfoHash>)
        case allBut(Set<InfoHash>)
    }

    package var torrents = Torrents.all
    /// The keys of the accounts; `nil` where everybody is served.
    package var passkeys: Passkeys?

    package init() {}

    /// - Parameter path: of the announce or scrape URL, `nil` where none was sent.
    /// - Throws: why the asker is not served.
    package func admit(_ path: RawSpan?, at now: Instant) throws(TrackerFailure) {
        guard let passkeys else { return }
        guard let path, let passkey = Passkeys.passkey(in: path) else { throw .missingPasskey }
        guard passkeys.account(of: passkey, at: now) != nil else { throw .unknownPasskey }
    }

    package func admit(_ infoHash: InfoHash) throws(TrackerFailure) {
        switch torrents {
        case .all: return
        case .only(let served): if !served.contains(infoHash) { throw .notListed }
        case .allBut(let denied): if denied.contains(infoHash) { throw .denied }
        }
    }
}
