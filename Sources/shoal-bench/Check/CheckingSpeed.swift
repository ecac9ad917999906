import Metainfo
import Primitives
import Storage

/// Checks a file as `shoal` does when a share or a fetch begins: all workers, against the hashes of a torrent.
struct CheckingSpeed {
    private let files: FileSet
    private let digests: [SHA1Digest]
    private(set) var throughput = Throughput()
    /// Of the whole process while it checked, in bytes.
    private(set) var peakMemory = 0

    /// - Parameter folder: holds the file, named `data`.
    init(size: Int64, folder: String) throws(BenchError) {
        let pieceLength = TorrentBuilder.pieceLength(forSize: size)
        files = FileSet(
            root: folder,
            files: [StoredFile(pathComponents: ["data"], offset: 0, length: size)],
            layout: PieceLayout(totalSize: size, pieceLength: pieceLength),
            access: .reading,
            openFiles: OpenFiles()
        )
        let verifier = Verifier(hashing: files)
        try CheckingSpeed.run(verifier)
        digests = verifier.digests
    }

    mutating func run() throws(BenchError) {
        let verifier = Verifier(files) { [digests] in digests[$0] }
        SystemFiles.resetPeakMemory()
        let stopwatch = Stopwatch()
        try CheckingSpeed.run(verifier)
        throughput.note(files.layout.totalSize, stopwatch)
        peakMemory = max(peakMemory, SystemFiles.peakMemory ?? 0)
        guard verifier.verified.isFull else { throw .failed("the file changed while it was checked") }
    }

    private static func run(_ verifier: Verifier) throws(BenchError) {
        let workers = try LoopOfWorkers()
        var failure: StorageError?
        workers.run(verifier) {
            if case .failure(let error) = $0 { failure = error }
        }
        workers.waitUntilIdle { if Interruption.isWanted { verifier.cancel() } }
        try Interruption.check()
        if let failure { throw .failed(failure.message) }
    }
}
