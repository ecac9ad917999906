import Bencode
package import Primitives

/// Makes a torrent from what was measured of its files.
///
/// The `info` dictionary depends on nothing but the name, the files in their order, the hashes and `isPrivate`: who makes
/// it again from the same files gets the same info-hash.
package struct TorrentBuilder: Sendable {
    package struct File: Hashable, Sendable {
        /// Below the torrent's folder.
        package var path: [String]
        /// In bytes.
        package var length: Int64

        package init(path: [String], length: Int64) {
            self.path = path
            self.length = length
        }
    }

    /// One file called like the torrent, or a folder.
    package enum Content: Hashable, Sendable {
        case file(length: Int64)
        case folder([File])
    }

    package var name: String
    package var content: Content
    /// In bytes.
    package var pieceLength: Int
    /// SHA-1 of every piece, in order.
    package var pieceHashes: [SHA1Digest] = []
    package var isPrivate = false
    package var announceTiers: [[String]] = []
    package var comment: String?
    package var createdBy: String?
    /// In seconds since 1970.
    package var creationDate: Int64?

    /// - Parameter pieceLength: in bytes; chosen by the size of the content where `nil`.
    package init(name: String, content: Content, pieceLength: Int? = nil) {
        self.name = name
        self.content = content
        self.pieceLength = pieceLength ?? TorrentBuilder.pieceLength(forSize: content.totalSize)
    }

    /// A power of two that makes about 1500 pieces: few enough for small metadata and short `have` traffic, and enough to
    /// spread over many peers.
    ///
    /// 16 KiB to 16 MiB; above 4 TiB more, so that the metadata stays below what others accept.
    package static func pieceLength(forSize size: Int64) -> Int {
        var length: Int64 = 16 << 10
        while length < 16 << 20, size / length > 1500 { length *= 2 }
        while length < MetainfoLimits.pieceLengths.upperBound, size / length > 1 << 18 { length *= 2 }
        return Int(length)
    }

    /// Files in the order that everybody would put them: by path, name by name, as bytes.
    package static func sorted(_ files: [File]) -> [File] {
        files.sorted { left, right in
            left.path.lexicographicallyPrecedes(right.path) { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        }
    }

    /// The torrent, read back as a stranger would read it.
    ///
    /// Refuses what others would refuse, and names that they would mend: they would see other names than are on this disk.
    package func build() throws(MetainfoError) -> Torrent {
        var torrent = Torrent(try InfoDictionary(parsing: info))
        try checkNames(of: torrent.files)
        torrent.announceTiers = announceTiers
        torrent.comment = comment
        torrent.createdBy = createdBy
        torrent.creationDate = creationDate
        return torrent
    }

    /// The `info` dictionary.
    private var info: [UInt8] {
        var writer = BencodeWriter(capacity: pieceHashes.count * UInt160.byteCount + 1024)
        writer.dictionary { writer in
            switch content {
            case .file(let length):
                writer.key("length")
                writer.integer(length)
            case .folder(let files):
                writer.key("files")
                writer.list { for file in files { TorrentBuilder.write(file, to: &$0) } }
            }
            writer.key("name")
            writer.string(name)
            writer.key("piece length")
            writer.integer(pieceLength)
            writer.key("pieces")
            writer.string(joinedHashes)
            if isPrivate {
                writer.key("private")
                writer.integer(1)
            }
        }
        return writer.take()
    }

    private static func write(_ file: File, to writer: inout BencodeWriter) {
        writer.dictionary {
            $0.key("length")
            $0.integer(file.length)
            $0.key("path")
            $0.list { for name in file.path { $0.string(name) } }
        }
    }

    private var joinedHashes: [UInt8] {
        var writer = ByteWriter(capacity: pieceHashes.count * UInt160.byteCount)
        for hash in pieceHashes { hash.value.write(to: &writer) }
        return writer.bytes
    }

    private func checkNames(of files: FileLayout) throws(MetainfoError) {
        let paths =
            switch content {
            case .file: [name]
            case .folder(let files): files.map { ([name] + $0.path).joined(separator: "/") }
            }
        for (file, path) in zip(files.files, paths) where !file.path.text.utf8.elementsEqual(path.utf8) {
            throw .nameNeedsMending(DisplayText.clean(path))
        }
    }
}

extension TorrentBuilder.Content {
    /// In bytes; saturates where a caller's numbers make no sense, which `build()` refuses.
    package var totalSize: Int64 {
        switch self {
        case .file(let length): length
        case .folder(let files):
            files.reduce(0) { sum, file in
                let (total, overflow) = sum.addingReportingOverflow(file.length)
                return overflow ? .max : total
            }
        }
    }
}
