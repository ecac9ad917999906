import Cryptography
import Metainfo
import Primitives
import Testing

@testable import Storage

/// A torrent of a few files in a temporary folder.
struct Fixture {
    let folder: TemporaryFolder
    let files: [StoredFile]
    let layout: PieceLayout
    /// The whole torrent.
    let bytes: [UInt8]

    init(_ sizes: [(String, Int)], pieceLength: Int = 16_384, padding: Set<String> = []) throws {
        folder = try TemporaryFolder()
        var files: [StoredFile] = []
        var bytes: [UInt8] = []
        for (index, (name, size)) in sizes.enumerated() {
            let isPadding = padding.contains(name)
            files.append(
                StoredFile(
                    pathComponents: name.split(separator: "/").map(String.init),
                    offset: Int64(bytes.count),
                    length: Int64(size),
                    isPadding: isPadding
                )
            )
            bytes += isPadding ? [UInt8](repeating: 0, count: size) : pattern(size, seed: UInt8(index % 200) + 1)
        }
        self.files = files
        self.bytes = bytes
        layout = PieceLayout(totalSize: Int64(bytes.count), pieceLength: pieceLength)
    }

    func fileSet(
        _ access: FileSet.Access = .writing,
        root: String? = nil,
        openFiles: OpenFiles = OpenFiles(capacity: 16),
        asksKernel: Bool = true
    ) -> FileSet {
        FileSet(
            root: RootFolder(path: root ?? folder.path, asksKernel: asksKernel),
            files: files,
            layout: layout,
            access: access,
            openFiles: openFiles
        )
    }

    func piece(_ index: Int) -> [UInt8] {
        let start = Int(layout.offset(ofPiece: index))
        return Array(bytes[start..<start + layout.length(ofPiece: index)])
    }

    func write(_ pieces: [Int], to set: FileSet) throws {
        let buffer = PieceBuffer(capacity: layout.pieceLength)
        for index in pieces {
            buffer.copy(piece(index).span.bytes, to: 0)
            try set.write(piece: index, from: buffer)
        }
    }

    func writeAll(to set: FileSet) throws {
        try write(Array(0..<layout.pieceCount), to: set)
        try set.createEmptyFiles()
    }

    func expected(_ piece: Int) -> SHA1Digest? { digests.indices.contains(piece) ? digests[piece] : nil }

    var digests: [SHA1Digest] { (0..<layout.pieceCount).map { SHA1.hash(piece($0)) } }

    func verified(_ set: FileSet, threads: Int = 2) throws -> [Int] {
        let digests = digests
        let verifier = Verifier(set) { digests[$0] }
        try verifier.run(threads: threads)
        return verifier.verified.indices
    }
}

/// All bytes of the torrent in the set, or `nil` when some are missing.
func read(_ set: FileSet) throws -> [UInt8]? {
    var bytes = [UInt8](repeating: 0xee, count: Int(set.layout.totalSize))
    let isComplete = try bytes.withUnsafeMutableBytes { try set.read(at: 0, into: $0) }
    return isComplete ? bytes : nil
}
