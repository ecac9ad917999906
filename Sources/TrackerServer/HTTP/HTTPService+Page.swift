import HTTPServer
import Primitives
import TrackerProtocol
import TrackerStore

extension HTTPService {
    func answerPage(_ asked: RoutedRequest) {
        let totals = core.registry.totals
        var facts = TrackerPage.Facts()
        facts.swarms = core.registry.swarmCount
        facts.seeders = totals.seeds
        facts.leechers = totals.leechers
        facts.needsAccounts = core.admission.passkeys != nil
        let place = HTTPService.place(asked.header("Host")) ?? core.endpoints.first?.description ?? ""
        facts.root = core.configuration.ownURL?.root ?? "http://\(place)"
        let shown = catalogue.files.prefix(TrackerPage.mostFiles)
        facts.moreFiles = max(0, catalogue.count - shown.count)
        facts.files = shown.map { file in
            let swarm = core.registry.summary(of: file.infoHash)
            return TrackerPage.File(
                name: file.name,
                infoHash: file.infoHash,
                size: file.size,
                seeders: swarm?.seeds ?? 0,
                leechers: swarm?.leechers ?? 0
            )
        }
        asked.reply(page.response(facts))
    }

    /// The host by which the reader reached us, as long as it is nothing but one: people paste what stands on the page
    /// into their terminals.
    private static func place(_ host: String?) -> String? {
        guard let host, host.utf8.count <= 255, !host.isEmpty else { return nil }
        let isHost = host.utf8.allSatisfy { byte in
            switch byte {
            case 48...57, 65...90, 97...122: true
            default: "-.:[]".utf8.contains(byte)
            }
        }
        return isHost ? host : nil
    }
}
