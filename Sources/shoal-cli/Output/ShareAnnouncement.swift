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
        self.init(magnet: torrent.magnet, outputIsTerminal, what: "Fetch it on any machine with:")
    }

    /// The link that follows what a key publishes (BEP 46).
    init(_ publication: Publication, outputIsTerminal: Bool) {
        self.init(
            magnet: publication.magnet,
            outputIsTerminal,
            what: "Fetch the newest version, today's or a later one:"
        )
    }

    private init(magnet: String, _ outputIsTerminal: Bool, what: String) {
        // Percent-encoded by us, so nothing is lost; `clean` would cut a long link.
        let magnet = String(String.UnicodeScalarView(magnet.unicodeScalars.filter(DisplayText.isVisible)))
        let command = "\(what)\n  shoal fetch \(ShellText.quoted(magnet))\n"
        output = outputIsTerminal ? "\(magnet)\n\n\(command)\n" : magnet + "\n"
        errors = outputIsTerminal ? "" : command
    }
}
