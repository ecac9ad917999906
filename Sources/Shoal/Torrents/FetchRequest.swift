import Metainfo
import Primitives

/// What a person asked to fetch, understood.
struct FetchRequest {
    let infoHash: InfoHash
    /// Where the metadata came with the request.
    var torrent: Torrent?
    /// `host:port` of peers to try at once.
    var peers: [String] = []
    /// URLs of the link's trackers.
    var trackers: [String] = []
    /// File indices (BEP 53); empty for all.
    var selectedFiles: [ClosedRange<Int>] = []

    init(_ source: FetchSource) throws(ShoalError) {
        switch source {
        case .infoHash(let text):
            guard let infoHash = InfoHash(text: text) else {
                throw ShoalError(.usage, "\(text) is no info-hash: 40 hexadecimal or 32 base32 digits are needed")
            }
            self.infoHash = infoHash
        case .magnet(let text):
            let link: MagnetLink
            do throws(MagnetError) { link = try MagnetLink(parsing: text) } catch {
                throw ShoalError(.usage, "\(error)")
            }
            guard let infoHash = link.infoHash else {
                throw ShoalError(.usage, "the link names a publisher, whose torrent has to be looked up first")
            }
            self.infoHash = infoHash
            peers = link.peers.map(\.description)
            trackers = link.trackers
            selectedFiles = link.selectedFiles
        case .torrent(let bytes):
            let file = try TorrentFile(bytes)
            torrent = file.torrent
            infoHash = file.torrent.infoHash
        }
    }
}
