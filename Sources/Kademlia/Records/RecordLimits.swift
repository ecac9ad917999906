/// Bounds on what a node does for keys and for records of who holds which pieces (secure-peer.md, §1 and §2).
package struct RecordLimits: Hashable, Sendable {
    /// Proofs of our key that others get a second, in all and one address (D18): a signature costs some 0.1 ms, so this is
    /// a hundredth of a core. One table entry of others needs one proof each quarter of an hour.
    package var proofsPerSecond = 100
    package var proofsPerAddress = 1
    /// Proofs that we ask for a second, and that wait for their turn: 4.7 kB/s while a table fills, and a flood of false
    /// endpoints in records makes us send no more.
    package var questionsPerSecond = 20
    package var questionsWaiting = 256
    /// How long a node that shows our version is not asked again, whatever came of it: most likely it was too busy.
    package var questionPause = Duration.seconds(60)
    /// Endpoints whose key is known, and for how long (as long as a node counts as good without a word).
    package var provedEndpoints = 1024
    package var proofLifetime = Duration.seconds(900)
    /// Addresses that stayed silent when they were asked because of somebody's word, and how long they are left alone
    /// (N19): a record that names a victim costs it two packets of 233 bytes a reader in half an hour.
    package var silentAddresses = 1024
    package var silencePause = Duration.seconds(1800)
    /// Silent ports of one address after which no other of its ports is tried.
    package var silentPorts = 2

    /// Nodes of our own kind in the table of the overlay.
    package var overlayNodes = 1024

    /// Records that others may store here: 24 MB with a value of the usual longest each.
    package var stored = 20_000
    package var perInfoHash = 64
    /// Of one IPv4 /24 or IPv6 /56 for one info-hash (N17), and of one address in all: who owns one network must not be
    /// the only one heard.
    package var perNetworkAndInfoHash = 4
    package var perAddress = 200
    /// How many make room at once when the store is full: to look who has to go takes milliseconds, shared by so many.
    package var evictedAtOnce = 200
    package var sweep = Duration.seconds(300)
    /// Signatures of stored records checked a second, in all and of one address (D18): 2.2 % of a core at 45 µs each.
    package var checksPerSecond = 500
    package var checksPerAddress = 5
    /// Records of our own, one a torrent: as many as torrents that we announce.
    package var own = 2000

    /// Peers that `get_peers` named and one lookup asks for their records, and how many all lookups ask a second.
    package var peersAsked = 50
    package var peersAskedPerSecond = 20
    /// Signatures that one lookup checks, and all of them a second: four times what an honest network holds of one
    /// info-hash.
    package var checksPerLookup = 256
    package var readChecksPerSecond = 500
    /// Records read from one reply: of the shortest, seven fit.
    package var readPerReply = 16
    /// Prefixes of keys that a query may say are known already.
    package var knownPrefixes = 64
    /// Times that nodes which have more records than fit one reply are asked once more, in one lookup: 64 full-sized ones
    /// come one by one.
    package var furtherQuestions = 64
    /// Of them, to one node: it answers an address five times a second, fifty at once (D10).
    package var furtherQuestionsPerNode = 20

    package init() {}
}
