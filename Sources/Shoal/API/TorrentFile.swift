import Metainfo
import Primitives
import TrackerProtocol

/// A `.torrent` file: what it names, without touching disk or network.
public struct TorrentFile: Sendable {
    /// One file that it names.
    public struct Entry: Hashable, Sendable {
        /// Below the download folder, the torrent's name first.
        public var path: String
        /// Bytes.
        public var size: Int64
    }

    let torrent: Torrent

    /// Reads a `.torrent` (BEP 3).
    ///
    /// - Parameters:
    ///   - bytes: the file.
    ///   - name: what to call it in an error.
    /// - Throws: `ShoalError` with `.badData`, naming the field at fault.
    public init(_ bytes: [UInt8], name: String = "the .torrent file") throws(ShoalError) {
        do throws(MetainfoError) {
            torrent = try Torrent(parsing: bytes)
        } catch {
            throw ShoalError(error, in: name)
        }
    }

    init(_ torrent: Torrent) { self.torrent = torrent }

    /// The same, with the person's passkeys in the URLs of trackers that want one: for another client of the same person.
    ///
    /// - Parameter passkeys: by the tracker's `host:port`.
    public func with(passkeys: [String: String]) -> TorrentFile {
        var torrent = torrent
        torrent.announceTiers = torrent.announceTiers.map { tier in
            tier.map { TrackerURL($0)?.with(passkeys: passkeys).text ?? $0 }
        }
        return TorrentFile(torrent)
    }

    /// Name, sizes, info-hash and magnet link.
    public var info: TorrentInfo { TorrentInfo(torrent, address: nil) }
    /// The file's bytes.
    public var bytes: [UInt8] { torrent.encoded }
    /// BEP 27: peers come from trackers only.
    public var isPrivate: Bool { torrent.isPrivate }
    /// URLs, all tiers (BEP 12).
    public var trackers: [String] { torrent.announceTiers.flatMap { $0 } }
    /// What its maker wrote.
    public var comment: String? { torrent.comment }
    /// The program that made it.
    public var createdBy: String? { torrent.createdBy }
    /// Seconds since 1970.
    public var creationDate: Int64? { torrent.creationDate }

    /// What it names, padding left out.
    public var files: [Entry] {
        torrent.files.files.filter { $0.kind == .regular }.map { Entry(path: $0.path.text, size: $0.length) }
    }
}

extension TorrentInfo {
    /// A link is typed and spoken; whoever follows it needs a few trackers, and not the forty that some torrents have.
    private static let mostTrackers = 8

    /// - Parameters:
    ///   - address: where this node listens, for the link; left out where it is every address.
    ///   - trackers: that the torrent is announced to besides its own.
    init(_ torrent: Torrent, address: Endpoint?, trackers: [TrackerURL] = []) {
        var link = MagnetLink(torrent.infoHash)
        link.displayName = torrent.name
        link.totalSize = torrent.layout.totalSize
        // The trackers of a private torrent carry its owner's passkey (R13).
        let tiers = torrent.isPrivate ? [] : torrent.announceTiers
        for url in (trackers + tiers.joined().compactMap { TrackerURL($0) }).map(\.withoutPasskey.text)
        where !link.trackers.contains(url) && link.trackers.count < TorrentInfo.mostTrackers {
            link.trackers.append(url)
        }
        if let address, !address.address.isUnspecified {
            link.peers = HostAndPort(host: address.address.description, port: address.port).map { [$0] } ?? []
        }
        self.init(
            infoHash: torrent.infoHash.hex,
            name: torrent.name,
            size: torrent.layout.totalSize,
            pieceLength: torrent.layout.pieceLength,
            pieces: torrent.layout.pieceCount,
            files: torrent.files.files.count { $0.kind == .regular },
            magnet: link.description
        )
    }
}
