import Metainfo
package import Primitives
import Synchronization

/// Hashes the pieces of a torrent on disk, with as many threads as call `step()`.
///
/// Checks them against the hashes of a torrent, or collects the hashes for a new one. Memory is one slice per thread,
/// whatever the size of a piece; holes are not read.
package final class Verifier: Sendable {
    package struct Progress: Hashable, Sendable {
        /// Of the pieces asked for.
        package let bytesDone: Int64
        package let bytesTotal: Int64
    }

    private enum Purpose: Sendable {
        case check(expected: @Sendable (Int) -> SHA1Digest?)
        case hash
    }

    private struct State {
        /// Where the search for the next piece goes on.
        var position = 0
        var running = 0
        var bytesDone: Int64 = 0
        var verified: Bitfield
        var digests: [SHA1Digest]
        var failure: StorageError?
    }

    /// Bytes of pieces per step: some milliseconds of hashing, so that a worker is free soon for a peer's block.
    private static let stretchLength = 16 << 20

    package let files: FileSet
    private let purpose: Purpose
    private let candidates: Bitfield
    private let bytesTotal: Int64
    private let state: Mutex<State>
    private let isCancelled = Atomic(false)
    private let zeros = ZeroDigests()
    private let buffers = BufferPool(budget: 64 * PieceHasher.sliceLength)

    /// Checks pieces that are on disk.
    ///
    /// - Parameters:
    ///   - pieces: the ones to check; all by default.
    ///   - expected: the hash of the piece with this index; called on any thread.
    package convenience init(
        _ files: FileSet,
        pieces: Bitfield? = nil,
        expected: @escaping @Sendable (Int) -> SHA1Digest?
    ) {
        self.init(files, pieces, .check(expected: expected))
    }

    /// Hashes all pieces, for a new torrent.
    package convenience init(hashing files: FileSet) {
        self.init(files, nil, .hash)
    }

    private init(_ files: FileSet, _ pieces: Bitfield?, _ purpose: Purpose) {
        let layout = files.layout
        let candidates = pieces ?? Bitfield(filled: layout.pieceCount)
        self.files = files
        self.purpose = purpose
        self.candidates = candidates
        var bytes = candidates.setCount == layout.pieceCount ? layout.totalSize : 0
        if bytes == 0 { for piece in candidates.indices { bytes += Int64(layout.length(ofPiece: piece)) } }
        bytesTotal = bytes
        var digests: [SHA1Digest] = []
        if case .hash = purpose { digests = Array(repeating: SHA1Digest(.zero), count: layout.pieceCount) }
        state = Mutex(State(verified: Bitfield(count: layout.pieceCount), digests: digests))
    }

    package var progress: Progress {
        Progress(bytesDone: state.withLock { $0.bytesDone }, bytesTotal: bytesTotal)
    }

    /// The pieces found to be right so far.
    package var verified: Bitfield { state.withLock { $0.verified } }

    /// The hashes of all pieces in order, once all steps are done.
    package var digests: [SHA1Digest] { state.withLock { $0.digests } }

    /// Makes the steps under way, and all later ones, fail with `cancelled` soon.
    package func cancel() { isCancelled.store(true, ordering: .relaxed) }

    /// Hashes the next stretch of pieces.
    ///
    /// - Returns: `false` when none was left; others may still be busy with theirs.
    /// - Throws: `cancelled`, or the first failure of any thread.
    package func step() throws(StorageError) -> Bool {
        do throws(StorageError) {
            guard let stretch = try takeStretch() else { return false }
            try hash(stretch)
            return true
        } catch {
            let failure = meaning(of: error)
            state.withLock { $0.failure = $0.failure ?? failure }
            throw failure
        }
    }

    /// A file that is too long while its torrent is made has grown since its size was taken.
    private func meaning(of error: StorageError) -> StorageError {
        if case .hash = purpose, case .longer(let path, _, _) = error { return .changed(path: path) }
        return error
    }

    private func takeStretch() throws(StorageError) -> [Int]? {
        try throwIfCancelled()
        // Known before the first byte is read: what changes afterwards is noticed.
        _ = try files.stamps()
        return try state.withLock { state throws(StorageError) in
            if let failure = state.failure { throw failure }
            var stretch: [Int] = []
            var bytes = 0
            while state.position < candidates.count, bytes < Verifier.stretchLength {
                if candidates[state.position] {
                    stretch.append(state.position)
                    bytes += files.layout.length(ofPiece: state.position)
                }
                state.position += 1
            }
            guard !stretch.isEmpty else { return nil }
            state.running += 1
            return stretch
        }
    }

    private func hash(_ stretch: [Int]) throws(StorageError) {
        let buffer =
            buffers.buffer(capacity: PieceHasher.sliceLength) ?? PieceBuffer(capacity: PieceHasher.sliceLength)
        var hasher = PieceHasher(files: files, buffer: buffer)
        for piece in stretch {
            try throwIfCancelled()
            try settle(piece, hasher.outcome(ofPiece: piece))
        }
        let isLast = state.withLock { state in
            state.running -= 1
            return state.running == 0 && state.position == candidates.count
        }
        if isLast, case .hash = purpose { try checkNothingChanged() }
    }

    private func settle(_ piece: Int, _ outcome: PieceHasher.Outcome) throws(StorageError) {
        let digest: SHA1Digest? =
            switch outcome {
            case .digest(let digest): digest
            case .zeros(let length): zeros.digest(length: length)
            case .missing: nil
            }
        let isRight: Bool
        switch (purpose, outcome) {
        case (.hash, .missing(let file)): throw .changed(path: files.path(ofFile: file))
        case (.hash, _): isRight = true
        case (.check(let expected), _): isRight = digest != nil && digest == expected(piece)
        }
        state.withLock { state in
            if let digest, piece < state.digests.count { state.digests[piece] = digest }
            state.verified[piece] = isRight
            state.bytesDone += Int64(files.layout.length(ofPiece: piece))
        }
    }

    /// A torrent must not be made of half an old file and half a new one.
    private func checkNothingChanged() throws(StorageError) {
        let before = try files.stamps()
        let after = try files.captureStamps()
        for index in before.indices where before[index] != after[index] {
            throw .changed(path: files.path(ofFile: index))
        }
    }

    private func throwIfCancelled() throws(StorageError) {
        if isCancelled.load(ordering: .relaxed) { throw .cancelled }
    }
}
