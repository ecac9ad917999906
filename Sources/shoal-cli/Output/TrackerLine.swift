import Metainfo
import Shoal

/// What a tracker said, in a line.
enum TrackerLine {
    static func text(for tracker: TrackerStatus, style: Display.Style) -> String {
        let name = "tracker \(DisplayText.clean(tracker.tracker))"
        let words = tracker.message.map { DisplayText.clean($0) }
        switch tracker.state {
        case .announced:
            var text = "\(name) answers"
            if let seeders = tracker.seeders, let leechers = tracker.leechers {
                text += ": \(HumanUnits.count(seeders, "seeder")), \(HumanUnits.count(leechers, "leecher"))"
            }
            if style.isVerbose, let address = tracker.externalAddress { text += ", sees us at \(address)" }
            guard let words else { return text }
            return paint(text + "; it warns: \(words)", style)
        case .failed:
            let next = tracker.nextIn.map { "; trying again in \(Int($0.rounded(.up))) s" } ?? "; it is not asked again"
            return paint("\(name) failed: \(words ?? "")\(next)", style)
        }
    }

    private static func paint(_ text: String, _ style: Display.Style) -> String {
        style.usesColor ? Paint.yellow(text) : text
    }
}
