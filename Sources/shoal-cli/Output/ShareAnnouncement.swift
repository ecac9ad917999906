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
    ///   - network: whom the sharer talks to: the one who fetches needs a key as well, or has to be in a list.
    init(_ torrent: TorrentInfo, outputIsTerminal: Bool, network: Network = Network()) {
        let needs = [
            network.swarmKeyFile.map { _ in "that has the swarm key too," },
            network.trustFile.map { _ in "whose key you trust," },
        ].compactMap { $0 }
        let place = needs.isEmpty ? "any machine" : "a machine " + needs.joined(separator: " and ")
        self.init(
            magnet: torrent.magnet,
            outputIsTerminal,
            what: "Fetch it on \(place) with:",
            options: ShareAnnouncement.options(network)
        )
    }

    /// The link that follows what a key publishes (BEP 46).
    init(_ publication: Publication, outputIsTerminal: Bool, network: Network = Network()) {
        self.init(
            magnet: publication.magnet,
            outputIsTerminal,
            what: "Fetch the newest version, today's or a later one:",
            options: ShareAnnouncement.options(network)
        )
    }

    private static func options(_ network: Network) -> String {
        network.swarmKeyFile.map { " --swarm-key \(ShellText.quoted(DisplayText.clean($0)))" } ?? ""
    }

    private init(magnet: String, _ outputIsTerminal: Bool, what: String, options: String) {
        // Percent-encoded by us, so nothing is lost; `clean` would cut a long link.
        let magnet = String(String.UnicodeScalarView(magnet.unicodeScalars.filter(DisplayText.isVisible)))
        let command = "\(what)\n  shoal fetch \(ShellText.quoted(magnet))\(options)\n"
        output = outputIsTerminal ? "\(magnet)\n\n\(command)\n" : magnet + "\n"
        errors = outputIsTerminal ? "" : command
    }
}
