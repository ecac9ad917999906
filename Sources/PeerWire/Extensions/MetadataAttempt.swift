import Cryptography
import Primitives

/// One try at putting metadata of one size together.
struct MetadataAttempt {
    typealias Peer = MetadataDownload.Peer

    /// Who may contribute.
    enum Source: Hashable {
        /// Everyone who names this size.
        case shared(size: Int)
        /// One peer alone: after an attempt of several contributors failed, nobody can hide behind the others.
        case single(Peer)
    }

    struct Piece {
        var bytes: [UInt8]
        var contributor: Peer
    }

    struct Request: Hashable {
        let piece: Int
        let peer: Peer
        let sentAt: Instant
    }

    /// A piece worth asking for, and whom it was asked of already.
    struct Opening {
        let piece: Int
        let asked: Peer?
    }

    let source: Source
    let size: Int
    /// From then on the attempt makes room for one that waits.
    let turnEnd: Instant
    private(set) var pieces: [Piece?]
    private(set) var missingCount: Int
    private(set) var requests: [Request] = []

    init(source: Source, size: Int, turnEnd: Instant) {
        self.source = source
        self.size = size
        self.turnEnd = turnEnd
        missingCount = MetadataMessage.pieceCount(ofSize: size)
        pieces = Array(repeating: nil, count: missingCount)
    }

    mutating func requested(_ piece: Int, from peer: Peer, at now: Instant) {
        requests.append(Request(piece: piece, peer: peer, sentAt: now))
    }

    /// Takes requests back, and returns them.
    mutating func withdraw(where matches: (Request) -> Bool) -> [Request] {
        let withdrawn = requests.filter(matches)
        if !withdrawn.isEmpty { requests.removeAll(where: matches) }
        return withdrawn
    }

    /// Keeps a piece of the right length; `false` if it is there already.
    mutating func keep(_ bytes: [UInt8], as piece: Int, from peer: Peer) -> Bool {
        guard pieces.indices.contains(piece), pieces[piece] == nil else { return false }
        pieces[piece] = Piece(bytes: bytes, contributor: peer)
        missingCount -= 1
        return true
    }

    var contributors: Set<Peer> { Set(pieces.compactMap { $0?.contributor }) }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        for piece in pieces { bytes += piece?.bytes ?? [] }
        return bytes
    }

    /// Who contributed what to a result that is known to be wrong somewhere.
    var suspicions: [MetadataDownload.Suspicion] {
        pieces.enumerated().compactMap { index, piece in
            piece.map { .init(piece: index, digest: SHA1.hash($0.bytes), contributor: $0.contributor) }
        }
    }

    /// What to ask for next: pieces nobody was asked for, then those whose only answer is longer away than `patience`.
    ///
    /// No piece is asked for a third time, so that a slow swarm is not flooded.
    func openings(at now: Instant, patience: Duration) -> [Opening] {
        guard missingCount > 0 else { return [] }
        var counts = [Int](repeating: 0, count: pieces.count)
        for request in requests { counts[request.piece] += 1 }
        var openings: [Opening] = []
        for piece in pieces.indices where pieces[piece] == nil && counts[piece] == 0 {
            openings.append(Opening(piece: piece, asked: nil))
        }
        for request in requests where counts[request.piece] == 1 && now >= request.sentAt + patience {
            openings.append(Opening(piece: request.piece, asked: request.peer))
        }
        return openings
    }
}
