package import Availability
package import Cryptography
package import Primitives

/// What a peer says in its signed record, as far as choosing whom to dial needs it.
package struct HolderClaim: Hashable, Sendable {
    package var key: Ed25519.PublicKey
    package var sequence: Int64
    package var pieces: PieceClaims
    /// It says that it has no room.
    package var isFull: Bool
    package var expiresAt: Instant

    package init(
        key: Ed25519.PublicKey,
        sequence: Int64,
        pieces: PieceClaims,
        isFull: Bool = false,
        expiresAt: Instant
    ) {
        self.key = key
        self.sequence = sequence
        self.pieces = pieces
        self.isFull = isFull
        self.expiresAt = expiresAt
    }

    /// - Parameter clock: what the calendar says; a record's end is Unix time.
    package init(_ record: AvailabilityRecord, by clock: WallClock, at now: Instant) {
        let left = record.expiresAt.subtractingReportingOverflow(clock.unixMilliseconds(at: now)).partialValue
        self.init(
            key: record.key,
            sequence: record.sequence,
            pieces: record.claims,
            isFull: record.content.load == .full,
            expiresAt: now + .milliseconds(left)
        )
    }
}

/// What became of a claim when its peer showed what it holds.
package enum ClaimVerdict: Hashable, Sendable {
    case kept
    /// Too much is missing: claims of this key, and of this host, are ignored for an hour.
    case broken(Ed25519.PublicKey, missing: Int, claimed: Int)
}

/// Why a peer was chosen to be dialled.
package enum DialReason: Hashable, Sendable {
    /// The person named it.
    case user
    /// By its turn among all that are known.
    case chance
    /// It holds, by its own word, what is rare.
    case record(Ed25519.PublicKey)
    /// It holds, by its own word, a piece that nobody connected has.
    case absentPiece(Int, Ed25519.PublicKey)

    package var isRecord: Bool {
        switch self {
        case .record, .absentPiece: true
        case .user, .chance: false
        }
    }
}
