import Metainfo
import Primitives
import Storage

/// What a person wants to share: the files as they lie, and the torrent made of them or given.
struct ShareSource: Sendable {
    let torrent: Torrent
    let placement: Placement
    /// All pieces, where they were just hashed; `nil` when a given torrent's data is still to be checked.
    let have: Bitfield?

    /// The data of a torrent that exists already.
    init(_ torrent: Torrent, at path: String, openFiles: OpenFiles) throws(ShoalError) {
        self.torrent = torrent
        placement = try Placement(sharing: torrent, at: path, openFiles: openFiles)
        have = nil
    }

    /// Files that were just hashed into a new torrent.
    init(_ torrent: Torrent, _ files: FileSet) {
        self.torrent = torrent
        let folder = files.rootPath == "/" ? "" : files.rootPath
        let name = files.files.first?.pathComponents.first ?? ""
        placement = Placement(sharing: files, path: folder + "/" + name)
        have = Bitfield(filled: torrent.layout.pieceCount)
    }
}

/// The files of a torrent to be, with their sizes.
struct ShareDraft: Sendable {
    let root: String
    let name: String
    private let isSingleFile: Bool
    private let scans: [FolderScan]

    /// Walks the folders: work for a disk worker.
    init(_ request: ShareRequest) throws(ShoalError) {
        var scans: [FolderScan] = []
        for path in request.paths {
            do throws(StorageError) {
                scans.append(try FolderScan(of: path))
            } catch {
                if case .notFound = error { throw ShoalError(.notFound, error.message) }
                throw ShoalError(error)
            }
        }
        guard let first = scans.first else { throw ShoalError(.usage, "nothing to share was named") }
        guard scans.allSatisfy({ $0.root == first.root }) else {
            throw ShoalError(.usage, "what goes into one torrent must lie in one folder; move it together first")
        }
        guard Set(scans.map(\.name)).count == scans.count else {
            throw ShoalError(.usage, "the same path was named twice")
        }
        guard scans.contains(where: { !$0.files.isEmpty }) else {
            throw ShoalError(.notFound, "\(first.root)/\(first.name) holds no file to share")
        }
        self.scans = scans
        root = first.root
        isSingleFile = scans.count == 1 && first.isSingleFile
        let folder = first.root.split(separator: "/").last.map(String.init) ?? "files"
        name = request.name ?? (scans.count == 1 ? first.name : folder)
    }

    var size: Int64 { scans.reduce(0) { $0 + $1.totalSize } }

    /// As they lie on disk, below `root`.
    var stored: [StoredFile] {
        var offset: Int64 = 0
        return scans.flatMap(\.files).map { file in
            defer { offset += file.size }
            return StoredFile(pathComponents: file.pathComponents, offset: offset, length: file.size)
        }
    }

    /// Links and devices that were left out, a sentence each; a few are enough.
    var notices: [String] {
        scans.flatMap(\.skipped).prefix(10).map { skipped in
            switch skipped.reason {
            case .symlink: "left out \(skipped.path): a symbolic link"
            case .special: "left out \(skipped.path): not a regular file"
            }
        }
    }

    func torrent(
        pieceLength: Int,
        digests: [SHA1Digest],
        isPrivate: Bool,
        trackers: [String],
        createdBy: String
    ) throws(ShoalError) -> Torrent {
        // One folder is the torrent's own name; several things keep theirs below it.
        let dropped = scans.count == 1 ? 1 : 0
        let content: TorrentBuilder.Content =
            isSingleFile
            ? .file(length: size)
            : .folder(
                scans.flatMap(\.files).map {
                    .init(path: Array($0.pathComponents.dropFirst(dropped)), length: $0.size)
                }
            )
        var builder = TorrentBuilder(name: name, content: content, pieceLength: pieceLength)
        builder.pieceHashes = digests
        builder.isPrivate = isPrivate
        // Each was named to be announced to: none is there for when another one fails (BEP 12).
        builder.announceTiers = trackers.map { [$0] }
        builder.createdBy = createdBy
        do throws(MetainfoError) {
            return try builder.build()
        } catch {
            throw ShoalError(.files, "these files cannot go into a torrent: \(error)")
        }
    }
}
