import Metainfo
import Primitives
import TrackerProtocol

/// What the actor's callers ask of trackers.
extension NodeCore {
    /// How many take part in a torrent; IPv4 is asked first, and IPv6 where that has nothing to say.
    func scrape(_ infoHash: String, at tracker: String) async throws(ShoalError) -> TrackerCounts {
        guard let infoHash = InfoHash(text: infoHash) else { throw ShoalError(.usage, "\(infoHash) is no info-hash") }
        guard let url = TrackerURL(tracker) else { throw ShoalError(.usage, "\(tracker) is no tracker") }
        guard let trackers else { throw ShoalError(.failed, "the node has not been started") }
        var failure = AnnounceFailure.noAddress
        for family in AddressFamily.allCases where serves(family) && url.canBeReached(in: family) {
            // The node may have been stopped while the first answer was waited for, and then nobody would answer.
            try throwIfStopping()
            let result: Result<TrackerCount, AnnounceFailure> = await withCheckedContinuation { done in
                turn { _ = trackers.scrape(infoHash, at: url, in: family) { done.resume(returning: $0) } }
            }
            do throws(AnnounceFailure) {
                return TrackerCounts(try result.get())
            } catch {
                if error != .noAddress { failure = error }
            }
        }
        throw ShoalError(.network, "tracker \(url) failed: \(failure)")
    }
}
