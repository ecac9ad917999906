import Metainfo
import Shoal

/// What `share` prints when the torrent is ready: the link, and the exact command that fetches it.
struct ShareAnnouncement: Hashable, Sendable {
    /// For standard output. Into a pipe goes the magnet link alone.
    let output: String
    /// For standard error.
    let errors: String

    /// - Parameter outputIsTerminal: whether a person reads standard output.
    init(_ torrent: TorrentInfo, outputIsTerminal: Bool) {
        // Percent-encoded by us, so nothing is lost; `clean` would cut a long link.
        let magnet = String(String.UnicodeScalarView(torrent.magnet.unicodeScalars.filter(DisplayText.isVisible)))
        let command = "Fetch it on any machine with:\n  shoal fetch \(ShellText.quoted(magnet))\n"
        output = outputIsTerminal ? "\(magnet)\n\n\(command)\n" : magnet + "\n"
        errors = outputIsTerminal ? "" : command
    }
}
