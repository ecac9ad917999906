package import Primitives

/// An HTTP announce as a URL (BEP 3, 7, 23, 27 and 48).
package struct AnnounceURL: Hashable, Sendable {
    package var request: AnnounceRequest
    /// As the tracker gave it.
    package var trackerID: [UInt8]?
    /// The address that others should use, where the person says so.
    package var announcedAddress: IPAddress?
    /// How many pieces there are, and the have-blob of secure-peer.md, §2.4, for trackers of our kind; others pass it over.
    package var pieceCount: Int?
    package var haveBlob: [UInt8]?

    package init(_ request: AnnounceRequest) { self.request = request }

    package func text(at tracker: TrackerURL) -> String {
        var text = tracker.text + AnnounceURL.separator(in: tracker)
        text += "info_hash=\(request.infoHash.value.percentEncoded)&peer_id=\(request.peerID.value.percentEncoded)"
        text += "&port=\(request.port)&uploaded=\(request.uploaded)&downloaded=\(request.downloaded)"
        if let left = request.left { text += "&left=\(left)" }
        text += "&compact=1"
        if let word = request.event.word { text += "&event=\(word)" }
        if let key = request.key { text += "&key=\(String(key, radix: 16))" }
        if let wanted = request.wanted { text += "&numwant=\(wanted)" }
        if let trackerID { text += "&trackerid=\(AnnounceURL.percentEncoded(trackerID))" }
        if let announcedAddress { text += "&ip=\(announcedAddress)" }
        if let pieceCount, let haveBlob { text += "&pieces=\(pieceCount)&have=\(Base64URL.encode(haveBlob))" }
        return text
    }

    /// BEP 48: a scrape of one torrent; `nil` where the tracker cannot be scraped.
    package static func scrapeURL(of infoHash: InfoHash, at tracker: TrackerURL) -> String? {
        guard let scrape = tracker.scrape else { return nil }
        return scrape.text + separator(in: scrape) + "info_hash=\(infoHash.value.percentEncoded)"
    }

    private static func separator(in tracker: TrackerURL) -> String { tracker.path.contains("?") ? "&" : "?" }

    static func percentEncoded(_ bytes: [UInt8]) -> String {
        var text = ""
        for byte in bytes { text += "%" + Hex.encode([byte]) }
        return text
    }
}

extension AnnounceRequest.Event {
    /// As it stands in a query; an announce at an interval has none.
    package var word: String? {
        switch self {
        case .interval: nil
        case .completed: "completed"
        case .started: "started"
        case .stopped: "stopped"
        }
    }
}

extension UInt160 {
    /// Every byte as `%xx`: any tracker can read that.
    fileprivate var percentEncoded: String {
        var writer = ByteWriter(capacity: UInt160.byteCount)
        write(to: &writer)
        return AnnounceURL.percentEncoded(writer.bytes)
    }
}
