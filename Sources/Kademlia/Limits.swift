/// Bounds on what one DHT node holds, sends and believes; each says what it is for.
package struct DHTLimits: Hashable, Sendable {
    /// Which addresses are free of the per-address and per-network limits (hardening D3, D9, D10, D14).
    package enum Exemption: Hashable, Sendable {
        /// No address.
        case none
        /// 127/8 and `::1`, so that a network of hundreds of nodes fits on one host (D19).
        case loopback
        /// Private addresses too: a network inside one building has only one /24.
        case loopbackAndPrivate
    }

    package var exemption = Exemption.loopback

    /// Whether queries from the internet are answered (BEP 43).
    package enum Serving: Hashable, Sendable {
        /// Once it turns out that they reach us uninvited.
        case whenReachable
        /// At once: somebody knows that they do.
        case always
        /// Never: for a node that asks one question and is gone again.
        case never
    }

    package var serving = Serving.whenReachable
    /// How long an address translation may let those in that we sent something to (RFC 4787 asks for two minutes at
    /// least, and five are common): who comes later, or was never sent anything, comes uninvited.
    package var mapping = Duration.seconds(300)
    /// Addresses that we remember having sent something to.
    package var contactedAddresses = 8192
    /// How long one uninvited query proves that we are reachable: each node that has us in its table pings us every 15
    /// minutes, so this is four of those that all failed to come.
    package var reachabilityLifetime = Duration.seconds(3600)
    /// The pause after the first time that neighbours are asked as if we were serving; each next is twice as long.
    package var firstProbePause = Duration.seconds(30)
    package var longestProbePause = Duration.seconds(4 * 3600)

    /// Whether an identifier has to fit its node's address (BEP 42, hardening D4): one that does not is preferred by no
    /// bucket, counts towards the end of no lookup, and is given nothing to store. Off only where identifiers are written
    /// down by hand.
    package var checksIdentifiers = true

    /// Kademlia's k: nodes in a bucket, nodes in an answer, nodes that store a peer (BEP 5: 8).
    package var bucketSize = 8
    /// Nodes in the farthest bucket, through which half of all lookups go; each nearer one has half as many, down to k.
    ///
    /// With 128, 64, 32, 16, 8, ... a lookup starts some four bits nearer to its target than with 8 in each (Jiménez,
    /// Osmani, Knutsson: "Sub-second lookups on a large-scale Kademlia-based overlay", 2011); it costs 15 KiB.
    package var farthestBucketSize = 128
    /// Kademlia's α: queries of one lookup whose answer is awaited. The paper says 3; 4 hides one slow node more.
    package var queriesInFlight = 4
    /// The most promising candidates, which are asked at once, whatever is in flight already. Once one of them has
    /// answered and is still among them, the search has arrived, and all that is left is asked at once.
    package var headOfLookup = 3
    /// Candidates among which the most promising are sought: twice k.
    package var candidatesInView = 16
    /// Candidates behind the nearest k that are asked with them at the end: some of the k will turn out to be gone.
    package var spareCandidates = 3
    /// Queries of one lookup in flight, the above included.
    package var mostInFlight = 16
    /// How many bits nearer an answer brings a lookup, on the whole: what a near candidate is worth in round trips.
    package var bitsPerHop = 4
    /// Nodes that earlier lookups ended with and that later ones begin with: those of the last 64 keys (36 KiB).
    package var recentContacts = 512
    /// Endpoints whose silence is remembered, and how long they are not asked then. A lost datagram looks like a host that
    /// has left, so it must not be for long.
    package var silentContacts = 256
    package var silencePause = Duration.seconds(120)
    /// Endpoints known from a file or a name that one lookup asks at once: most may be gone.
    package var strangersInFlight = 16
    /// Remembered nodes that a lookup is started with while the table is empty; half of the line above, so that the
    /// bootstrap nodes never wait behind the dead.
    package var rememberedPerLookup = 8
    /// Queries of one lookup, over its whole life: a liar can invent ever closer nodes.
    package var queriesPerLookup = 200
    /// Queries after which one that only reads leaves it at what it has found. 99 of 100 need no more among 100,000 nodes.
    package var queriesOfReader = 45
    /// Candidates that one lookup remembers, the nearest ones.
    package var candidatesPerLookup = 128
    /// Nodes read from one reply. Honest replies carry 8, some clients send 20.
    package var nodesPerReply = 32
    /// Lookups whose nearest answers are kept to estimate the size of the network, and how many it takes before the
    /// estimate is believed: the median of 64 is 6 % off, of 8 still only 16 %.
    package var measurements = 64
    package var fewestMeasurements = 8
    /// How many bits more than expected the eighth nearest node must share with a target before an eclipse is
    /// suspected: eight nodes where one belongs. Chance does that to one lookup in 100,000, and with an estimate of the
    /// size that is off by a quarter to one in 20,000; six bits (hardening D15) would let 60 Sybils pass unnoticed.
    package var eclipseBits = 3
    /// Nodes that take one value, at most (D15): the twenty of the region, and as many again for crowds.
    package var storesPerValue = 40
    /// Queries that find the nodes of a region, beside those of the search before, and how many of them are open.
    package var queriesPerRegion = 240
    package var regionQueriesInFlight = 16
    /// Nodes asked about one place of a region: without and with suspicion, and at most, as nearer ones turn up.
    package var sweepers = 2
    package var sweepersOfSuspect = 3
    package var queriesPerSweep = 6
    /// Nodes of one shell of a region, where one is expected, that are asked for the value or a token, and that one path
    /// remembers.
    package var residentsPerShell = 8
    package var candidatesPerShell = 16
    /// Open queries of all lookups; more wait for their turn.
    package var openQueries = 256
    /// Nodes of a former run that are tried.
    package var remembered = 512

    /// When a query counts as failed: four times what 95 % of the answers need, kept inside this range. An answer that
    /// comes later is dropped as unmatched.
    package var shortestTimeout = Duration.seconds(1)
    package var longestTimeout = Duration.milliseconds(2500)
    /// When a query is slow and frees its place in the lookup: what so many of a thousand answers need (`Patience`),
    /// kept inside the range below.
    package var hurriedPermille = 800
    package var patientPermille = 990
    package var quickestRoundTrip = Duration.milliseconds(50)
    package var slowestRoundTrip = Duration.seconds(1)

    /// Inactivity after which a node is questionable and a bucket is refreshed (BEP 5).
    package var freshness = Duration.seconds(15 * 60)
    /// How long a bucket that is not full is left alone after a lookup into it.
    package var underfullPause = Duration.seconds(120)
    /// Nodes from elsewhere in the table that a refresh asks as well: near nodes may share our own blind spot.
    package var refreshOutsiders = 3
    /// How often the table is looked over.
    package var upkeepInterval = Duration.seconds(10)
    /// Pings of one look at the table.
    package var pingsPerUpkeep = 8
    /// Open pings to nodes that asked us something and are not in the table; more askers are not pinged now.
    package var verifications = 64

    /// A gap in the time we are told that means the host slept; upkeep tells it every ten seconds.
    package var sleep = Duration.seconds(120)
    /// Queries in a row without an answer from nodes that had answered before: the network is not there any more. By
    /// chance alone, with 15 % of the table gone, that is one time in 10^13.
    package var silentQueries = 16

    /// How long the driver may take to resolve the bootstrap nodes.
    package var resolveTimeout = Duration.seconds(10)
    /// The first pause after a failed bootstrap; each next is twice as long, up to the longest.
    package var firstBootstrapPause = Duration.seconds(2)
    package var longestBootstrapPause = Duration.seconds(300)
    /// Bootstrap endpoints used of those resolved.
    package var bootstrapEndpoints = 64
    /// Endpoints that turned out to be our own and are not talked to.
    package var ownEndpoints = 16

    /// Votes about our external address: networks whose newest counts, and how long it does; replies and networks needed
    /// to believe them (hardening D5). Enough voters that a lie among them is outvoted, few enough that a true change
    /// wins within two lookups.
    package var voters = 32
    package var voteLifetime = Duration.seconds(30 * 60)
    package var votesToDecide = 10
    package var votersToDecide = 3
    /// The least time between two changes of our identifier (D5).
    package var identifierPause = Duration.seconds(600)

    /// Longest datagram read and longest reply sent (hardening D17, D9).
    package var datagramBytes = 2048
    package var replyBytes = 1024
    /// Longest transaction identifier echoed; clients use 2 to 8 bytes, and an echo is a gift to a spoofer.
    package var transactionBytes = 32
    /// Longest token kept for an announce; clients use 4 to 20 bytes.
    package var tokenBytes = 64

    /// Queries a second from one address and from one network, averaged over `queryWindow` (D10).
    package var queriesPerAddress = 5
    package var queriesPerNetwork = 25
    package var queryWindow = Duration.seconds(10)
    /// How long an address that asked too much is not answered (D10).
    package var silence = Duration.seconds(300)
    /// Addresses whose rate is remembered; beyond that only `replyBytesPerSecond` holds.
    package var ratedSources = 4096
    /// Bytes of replies a second (D10).
    package var replyBytesPerSecond = 65_536

    /// How long a token secret is the current one; the one before it is accepted as well (D7).
    package var tokenRotation = Duration.seconds(300)
    /// `values` sent to a source that has proved its address (as many as fit), and to one that has not (D9).
    package var valuesPerReply = 100
    package var valuesPerUnvalidatedReply = 16
    /// How long a source stays validated, at most (D9).
    package var validation = Duration.seconds(15 * 60)
    package var validatedSources = 4096

    /// Stored announcements (D11): info-hashes, peers of each, peers in all (24 bytes each, and as many again
    /// while arrays grow), how long, how often swept.
    package var infoHashes = 2000
    package var peersPerInfoHash = 500
    package var storedPeers = 1_000_000
    package var peerLifetime = Duration.seconds(40 * 60)
    package var peerSweep = Duration.seconds(300)
    /// Peers that one host, an IPv4 address or an IPv6 /64, may have stored for one info-hash (a few clients behind one NAT)
    /// and in all: it must not fill the store, nor a swarm.
    package var peersPerAddressAndInfoHash = 8
    package var peersPerAddress = 200

    /// Stored items (D11), at most 1000 bytes of value each: how many, how long, how often swept.
    package var items = 700
    package var itemLifetime = Duration.seconds(2 * 3600)
    package var itemSweep = Duration.seconds(300)
    /// An item that nobody put here for so long is published again by us (BEP 44: hourly), after a time within the
    /// spread: the first of its holders to do so restarts the pause of the others, so that one of them does it for all.
    package var republishPause = Duration.seconds(45 * 60)
    package var republishSpread = Duration.seconds(20 * 60)
    /// How long after its last word from a publisher an item is published again by its holders: a publisher who comes
    /// back once a day may be two hours late.
    package var itemHorizon = Duration.seconds(26 * 3600)
    /// Items published again at once: a full store in which every item is ours alone to keep takes half an hour.
    package var republishesAtOnce = 4
    /// Items of our own that we publish again.
    package var ownItems = 64
    /// Items that one network may have stored: eleven of them at least have to conspire to fill the store. Neighbours of
    /// ours, whose items are ours as well, publish dozens again after a change of nodes.
    package var itemsPerNetwork = 64
    /// Signatures checked a second, at 45 µs each (D18): a fortieth of a core. One address puts no more often than it is
    /// answered (D10).
    package var signatureChecksPerSecond = 500
    /// Longest reply that carries an item (D9): it fits one packet of any network.
    package var itemReplyBytes = 1440

    /// Peers that one lookup hands on, in all and of one address (D14).
    package var valuesPerLookup = 200
    package var valuesPerAddress = 2
    /// Ports below 1024 that a peer may have: the rest belong to services that we will not be made to dial (D14).
    package var allowedLowPorts: Set<UInt16> = [80, 443]

    /// A reply of an extension to a source that has not proved its address is at most so many times its query (D9).
    package var amplification = 3
    /// Members of a filter that is believed: beyond 6000 the count of BEP 33 breaks down.
    package var scrapeEntries = 6000
    /// Filters that one scrape gathers: 32 KiB; some 20 nodes of a lookup hold the key.
    package var filtersPerScrape = 64
    /// How many times the middle filter a filter may claim. Announcements scatter, so honest ones differ, but a union
    /// believes whoever claims most.
    package var scrapeSpread = 4
    /// Info-hashes of a sample that we show, and of one that we read (BEP 51; libtorrent shows 20).
    package var samplesPerReply = 20
    package var samplesRead = 100
    /// How long we show the same sample while there is more than fits: a quarter of a peer's lifetime.
    package var sampleInterval = Duration.seconds(600)

    /// What keys and records of who holds which pieces may cost.
    package var records = RecordLimits()

    package init() {}

    /// How many nodes bucket `index` of the routing table has room for.
    package func capacity(ofBucket index: Int) -> Int { max(bucketSize, farthestBucketSize >> index) }
}
