import Cryptography
package import Primitives

/// Fetches the metadata of one torrent from several peers at once (BEP 9).
///
/// The info-hash proves the whole and nothing proves a part, so a liar is found in three steps (hardening F10, N44):
/// - Peers that name different sizes never contribute to the same attempt.
/// - An attempt that fails and had one contributor bans it.
/// - After one that fails and had several, each peer of that size is asked for the whole alone; the true metadata then shows whose pieces were wrong.
///
/// Three attempts at most run side by side, each for a bounded turn while others wait: neither memory nor time is the liars' to take.
/// The result is hashed here, in one go: 8 MiB take 5 ms, usual metadata well under one.
package struct MetadataDownload: ~Copyable {
    /// The driver's name for a connection.
    package typealias Peer = UInt32

    package enum Action: Hashable, Sendable {
        case request(piece: Int, from: Peer)
        /// Closes and bans: what they sent or named was wrong.
        case ban([Peer])
        /// The bencoded `info` dictionary; its hash is right.
        case complete([UInt8])
    }

    package struct Limits: Hashable, Sendable {
        /// Peers known at once; a torrent has fewer connections.
        package var peers = 256
        /// Attempts side by side: room for the truth beside two liars, and at most 24 MiB.
        package var attempts = 3
        /// Requests in flight to one peer: enough to hide the round trip, few enough for clients that drop what they do not answer at once.
        package var requestsPerPeer = 3
        /// Metadata that we fetch (hardening F9).
        package var size = 8 << 20
        /// How long a request may stay unanswered.
        package var requestTimeout: Duration = .seconds(8)
        /// How long a piece waits for one peer before a second is asked as well.
        package var patience: Duration = .seconds(2)
        /// Timeouts in a row after which a peer is left alone for `silencePause`.
        package var timeouts = 2
        package var silencePause: Duration = .seconds(30)
        /// A peer that rejects has no metadata itself yet (BEP 9), or has served enough.
        package var rejectPause: Duration = .seconds(10)
        /// The first turn of an attempt while others wait; it doubles each time.
        package var turn: Duration = .seconds(30)

        package init() {}
    }

    struct Candidate {
        let peer: Peer
        let size: Int
        var pausedUntil = Instant.zero
        var timeouts = 0
        var inFlight = 0
        /// Answers that may still come to requests given up.
        var owed = 0
        var turns = 0
    }

    /// What is known about one size that peers named.
    struct Size {
        let size: Int
        var turns = 0
        /// A result of several contributors was wrong: only single peers are asked from now on.
        var isMixed = false
        var suspicions: [Suspicion] = []
    }

    struct Suspicion: Hashable {
        let piece: Int
        let digest: SHA1Digest
        let contributor: Peer
    }

    let limits: Limits
    private let infoHash: InfoHash
    // Arrays and not dictionaries: the order in which peers are asked must be the same in every run.
    var candidates: [Candidate] = []
    var sizes: [Size] = []
    var attempts: [MetadataAttempt] = []
    var scheduledAt = Instant.zero
    package private(set) var isComplete = false

    package init(infoHash: InfoHash, limits: Limits = .init()) {
        self.infoHash = infoHash
        self.limits = limits
    }

    /// A peer's extension handshake offers metadata of this size.
    package mutating func offered(size: Int, by peer: Peer, at now: Instant) -> [Action] {
        guard !isComplete, size > 0, size <= limits.size else { return [] }
        if let known = candidates.first(where: { $0.peer == peer }) {
            // The info-hash settles the size: who names two of them lies, and would make us begin anew each time.
            return known.size == size ? [] : ban([peer]) + schedule(at: now)
        }
        guard candidates.count < limits.peers else { return [] }
        candidates.append(Candidate(peer: peer, size: size))
        if !sizes.contains(where: { $0.size == size }) { sizes.append(Size(size: size)) }
        return schedule(at: now)
    }

    /// A piece arrived. One that was not asked for is ignored; one of the wrong length is a lie.
    package mutating func received(
        piece: Int,
        totalSize: Int,
        bytes: [UInt8],
        from peer: Peer,
        at now: Instant
    ) -> [Action] {
        guard !isComplete, let candidate = candidates.firstIndex(where: { $0.peer == peer }),
            let attempt = attempts.firstIndex(where: { contributes(candidates[candidate], to: $0) })
        else { return [] }
        if attempts[attempt].withdraw(where: { $0.peer == peer && $0.piece == piece }).isEmpty {
            guard candidates[candidate].owed > 0 else { return [] }
            candidates[candidate].owed -= 1
        } else {
            candidates[candidate].inFlight -= 1
        }
        let size = attempts[attempt].size
        guard totalSize == size, bytes.count == MetadataMessage.range(ofPiece: piece, size: size)?.count else {
            return ban([peer]) + schedule(at: now)
        }
        candidates[candidate].timeouts = 0
        guard attempts[attempt].keep(bytes, as: piece, from: peer) else { return schedule(at: now) }
        withdraw(from: attempt) { $0.piece == piece }
        return (attempts[attempt].missingCount == 0 ? finish(attempt) : []) + schedule(at: now)
    }

    /// The peer does not have the piece, or does not want to give it.
    package mutating func rejected(piece: Int, by peer: Peer, at now: Instant) -> [Action] {
        guard !isComplete, let candidate = candidates.firstIndex(where: { $0.peer == peer }) else { return [] }
        for attempt in attempts.indices {
            let withdrawn = attempts[attempt].withdraw { $0.peer == peer && $0.piece == piece }
            guard !withdrawn.isEmpty else { continue }
            candidates[candidate].inFlight -= withdrawn.count
            candidates[candidate].pausedUntil = now + limits.rejectPause
            return schedule(at: now)
        }
        return []
    }

    package mutating func disconnected(_ peer: Peer, at now: Instant) -> [Action] {
        guard !isComplete else { return [] }
        forget(peer)
        return schedule(at: now)
    }

    package mutating func advanced(to now: Instant) -> [Action] {
        guard !isComplete else { return [] }
        giveUpRequests(at: now)
        return schedule(at: now)
    }

    /// The furthest attempt, for the display: pieces there, and pieces in all.
    package var progress: (received: Int, total: Int)? {
        attempts.map { ($0.pieces.count - $0.missingCount, $0.pieces.count) }.max { $0.0 < $1.0 }
    }

    func contributes(_ candidate: Candidate, to attempt: MetadataAttempt) -> Bool {
        switch attempt.source {
        case .shared(let size): candidate.size == size
        case .single(let peer): candidate.peer == peer
        }
    }

    /// Takes requests back that became pointless; their answers may still come.
    mutating func withdraw(from attempt: Int, where matches: (MetadataAttempt.Request) -> Bool) {
        for request in attempts[attempt].withdraw(where: matches) {
            guard let index = candidates.firstIndex(where: { $0.peer == request.peer }) else { continue }
            candidates[index].inFlight -= 1
            candidates[index].owed += 1
        }
    }

    mutating func close(_ attempt: Int) {
        withdraw(from: attempt) { _ in true }
        attempts.remove(at: attempt)
    }

    /// All pieces are there: the hash decides.
    private mutating func finish(_ index: Int) -> [Action] {
        let attempt = attempts[index]
        let bytes = attempt.bytes
        if SHA1.hash(bytes).value == infoHash.value { return complete(attempt, bytes) }
        let contributors = attempt.contributors
        close(index)
        if contributors.count == 1 { return ban(Array(contributors)) }
        if let size = sizes.firstIndex(where: { $0.size == attempt.size }) {
            sizes[size].isMixed = true
            sizes[size].suspicions = attempt.suspicions
        }
        return []
    }

    private mutating func complete(_ attempt: MetadataAttempt, _ bytes: [UInt8]) -> [Action] {
        isComplete = true
        var liars = Set(candidates.filter { $0.size != attempt.size }.map(\.peer))
        let truth = attempt.suspicions.map(\.digest)
        for suspicion in sizes.first(where: { $0.size == attempt.size })?.suspicions ?? []
        where truth[suspicion.piece] != suspicion.digest {
            liars.insert(suspicion.contributor)
        }
        attempts = []
        candidates = []
        sizes = []
        return (liars.isEmpty ? [] : [.ban(liars.sorted())]) + [.complete(bytes)]
    }

    private mutating func ban(_ peers: [Peer]) -> [Action] {
        for peer in peers { forget(peer) }
        return [.ban(peers)]
    }

    private mutating func forget(_ peer: Peer) {
        for attempt in attempts.indices { withdraw(from: attempt) { $0.peer == peer } }
        attempts.removeAll { $0.source == .single(peer) }
        candidates.removeAll { $0.peer == peer }
        for size in sizes.indices { sizes[size].suspicions.removeAll { $0.contributor == peer } }
        let used = Set(candidates.map(\.size)).union(attempts.map(\.size))
        sizes.removeAll { !used.contains($0.size) }
    }
}
