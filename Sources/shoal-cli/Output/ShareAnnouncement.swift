import Metainfo
import Shoal

/// What `share` prints when the torrent is ready: the link, and the exact command that fetches it.
struct ShareAnnouncement: Hashable, Sendable {
    /// For standard output. Into a pipe goes the magnet link alone.
    let output: String
    /// For standard error.
    let errors: String

    /// - Parameters:
    ///   - outputIsTerminal: whether a person reads standard output.
    ///   - swarmKeyFile: the file with the key of a private swarm, which the one who fetches needs as well.
    init(_ torrent: TorrentInfo, outputIsTerminal: Bool, swarmKeyFile: String? = nil) {
        let place = swarmKeyFile == nil ? "any machine" : "a machine that has the swarm key too,"
        self.init(
            magnet: torrent.magnet,
            outputIsTerminal,
            what: "Fetch it on \(place) with:",
            options: ShareAnnouncement.options(swarmKeyFile)
        )
    }

    /// The link that follows what a key publishes (BEP 46).
    init(_ publication: Publication, outputIsTerminal: Bool, swarmKeyFile: String? = nil) {
        self.init(
            magnet: publication.magnet,
            outputIsTerminal,
            what: "Fetch the newest version, today's or a later one:",
            options: ShareAnnouncement.options(swarmKeyFile)
        )
    }

    private static func options(_ swarmKeyFile: String?) -> String {
        swarmKeyFile.map { " --swarm-key \(ShellText.quoted(DisplayText.clean($0)))" } ?? ""
    }

    private init(magnet: String, _ outputIsTerminal: Bool, what: String, options: String) {
        // Percent-encoded by us, so nothing is lost; `clean` would cut a long link.
        let magnet = String(String.UnicodeScalarView(magnet.unicodeScalars.filter(DisplayText.isVisible)))
        let command = "\(what)\n  shoal fetch \(ShellText.quoted(magnet))\(options)\n"
        output = outputIsTerminal ? "\(magnet)\n\n\(command)\n" : magnet + "\n"
        errors = outputIsTerminal ? "" : command
    }
}
