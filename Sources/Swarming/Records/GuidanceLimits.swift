/// Bounds on what records may cost and decide.
package struct GuidanceLimits: Hashable, Sendable {
    /// Claims kept: 3 KiB each at most, and planning looks at every one.
    package var claims = 1000
    /// Planning weighs holders by this many of the rarest pieces: others weigh next to nothing.
    package var focus = 512
    /// Pieces looked at in one planning, in search of the rarest; a torrent of 2^21 is gone through in sixteen.
    package var window = 131_072
    /// Peers that one planning names: as many as may be dialled at a time.
    package var planned = 16
    /// A plan is made anew after this, or sooner when it is used up or claims came, but never sooner than `soonestPlan`.
    package var planAge = Duration.seconds(5)
    package var soonestPlan = Duration.seconds(1)

    /// Of ten peers that we dial, so many may be chosen because of a record. The rest is left to chance, so that lies
    /// cannot keep us from everybody else.
    package var recordsOfTen = 7
    /// While slots are free, records choose only holders of pieces that so few are expected to hold: the others chance
    /// will bring, and brings better spread. Where all went to the holders that complete each other best, the same few
    /// were asked by everybody, and twenty fetchers among 200 peers took a tenth longer than by chance alone.
    package var fewHolders = 2
    /// Of a hundred slots so many are left when chance has had its turn: from then on records choose holders of whatever
    /// nobody connected has.
    package var lastSlotsPercent = 10

    /// Of a hundred pieces that were claimed beyond doubt, so many may be missing.
    package var toleratedPercent = 5
    /// How long liars are not listened to, and how many are remembered.
    package var mistrustTime = Duration.seconds(3600)
    package var mistrusted = 512

    /// A connection is given up for the holder of a piece that nobody connected has at most this often.
    package var roomInterval = Duration.seconds(60)
    /// What a connection has to prove itself before it may be given up.
    package var probation = Duration.seconds(60)
    /// The same where neither side wants anything of the other, and peers wait that were never tried.
    package var uselessAge = Duration.seconds(30)
    package var uselessInterval = Duration.seconds(1)

    package init() {}
}
