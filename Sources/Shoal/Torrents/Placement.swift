import Metainfo
import Primitives
import Storage

/// Where the files of a torrent lie, and which of them are wanted.
struct Placement: Sendable {
    let files: FileSet
    /// The folder or file that the person sees at the end.
    let path: String
    /// The pieces that the wanted files need.
    let wanted: Bitfield
    /// Whether each file is wanted.
    let isWanted: [Bool]

    /// Files that lie where they are, all of them.
    init(sharing files: FileSet, path: String) {
        self.files = files
        self.path = path
        wanted = Bitfield(filled: files.layout.pieceCount)
        isWanted = [Bool](repeating: true, count: files.files.count)
    }

    /// The data of a torrent that somebody else made: the file or folder itself, or the folder that holds it.
    init(sharing torrent: Torrent, at path: String, openFiles: OpenFiles) throws(ShoalError) {
        do throws(StorageError) {
            var place = try ResolvedPath(path)
            if place.isFolder, torrent.isSingleFile || ResolvedPath.isFolder(place.full + "/" + torrent.name) {
                place = try ResolvedPath(place.full + "/" + torrent.name)
            }
            let stored = torrent.storedFiles(named: place.name)
            self.init(
                sharing: FileSet(
                    root: place.folder,
                    files: stored,
                    layout: torrent.layout,
                    access: .reading,
                    openFiles: openFiles
                ),
                path: place.full
            )
        } catch {
            throw ShoalError(error)
        }
    }

    /// A fetch: below `output`, or for a single file at `output` where that is no existing folder and does not end in `/`.
    init(
        fetching torrent: Torrent,
        _ options: FetchOptions,
        selectedFiles: [ClosedRange<Int>],
        openFiles: OpenFiles
    ) throws(ShoalError) {
        let output = options.output.isEmpty ? "." : options.output
        var name = torrent.name
        var folder = output
        if torrent.isSingleFile, !output.hasSuffix("/"), !ResolvedPath.isFolder(output) {
            (folder, name) = ResolvedPath.split(output)
        }
        let stored = torrent.storedFiles(named: name)
        let isWanted = try Placement.choose(torrent, stored, options.only, selectedFiles)
        do throws(StorageError) {
            // Made as the person asked for it, and resolved, so that a later run in another folder knows it again.
            try ResolvedPath.makeFolder(folder)
            folder = try ResolvedPath(folder).full
        } catch {
            throw ShoalError(error)
        }
        files = FileSet(root: folder, files: stored, layout: torrent.layout, access: .writing, openFiles: openFiles)
        path = (folder == "/" ? "" : folder) + "/" + name
        self.isWanted = isWanted
        if isWanted.allSatisfy({ $0 }) {
            wanted = Bitfield(filled: torrent.layout.pieceCount)
        } else {
            var wanted = Bitfield(count: torrent.layout.pieceCount)
            for index in stored.indices where isWanted[index] && !stored[index].isPadding {
                for piece in files.pieces(ofFile: index) { wanted[piece] = true }
            }
            self.wanted = wanted
        }
    }

    private static func choose(
        _ torrent: Torrent,
        _ stored: [StoredFile],
        _ patterns: [String],
        _ indices: [ClosedRange<Int>]
    ) throws(ShoalError) -> [Bool] {
        let globs = patterns.map { Glob($0) }
        let isWanted = stored.enumerated().map { index, file in
            let path = file.pathComponents.dropFirst(file.pathComponents.count > 1 ? 1 : 0).joined(separator: "/")
            let isNamed = globs.isEmpty || globs.contains { $0.matches(path) }
            return isNamed && (indices.isEmpty || indices.contains { $0.contains(index) })
        }
        guard isWanted.contains(true) else {
            let what = patterns.isEmpty ? "the numbers in 'so'" : patterns.joined(separator: ", ")
            throw ShoalError(.notFound, "no file of \(torrent.name) matches \(what)")
        }
        return isWanted
    }
}

extension Torrent {
    /// Whether it is one file called like the torrent, and not a folder.
    var isSingleFile: Bool { files.files.count == 1 && files.files[0].path.components.count == 1 }

    /// The files as they lie on disk when the torrent's own name there is `name`.
    func storedFiles(named name: String) -> [StoredFile] {
        files.files.map { file in
            StoredFile(
                pathComponents: [name] + file.path.components.dropFirst(),
                offset: file.offset,
                length: file.length,
                // Links are never created (hardening F5), and have no bytes.
                isPadding: file.kind != .regular
            )
        }
    }
}
