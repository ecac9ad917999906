import Primitives

/// A query that we send (BEP 5).
enum OutgoingQuery: Hashable, Sendable {
    case ping
    /// `wantsBoth`: contacts of both families (BEP 32).
    case findNode(NodeID, wantsBoth: Bool)
    /// `sparesSeeds`: seeds are of no use to us (BEP 33).
    case getPeers(InfoHash, sparesSeeds: Bool)
    case announcePeer(InfoHash, port: UInt16, isSeed: Bool, token: [UInt8])
    /// `get_peers` that asks for filters (BEP 33).
    case scrape(InfoHash)
    /// BEP 51.
    case sampleInfohashes(NodeID)
    case get(NodeID, newerThan: Int64?)
    case put(OutgoingPut)
    /// `sp_id`, with the number that the answer has to sign.
    case proveKey(UInt256)
    case getHave(OutgoingGetHave)
    case putHave(OutgoingPutHave)
}

/// The errors of BEP 5 and BEP 44 that we answer with.
enum ProtocolError: Hashable, Sendable {
    case invalidArguments
    case invalidToken
    case storeFull
    case busy
    case methodUnknown
    case valueTooLong
    case invalidSignature
    case saltTooLong
    case otherSequence
    case oldSequence
    case networkQuota
    case addressQuota
    case fromTheFuture
    case expired
    case recordTooLong

    static let busyCode: Int64 = 202

    /// The bencoded list of code and text.
    fileprivate var encoded: StaticString {
        switch self {
        case .invalidArguments: "li203e17:invalid argumentse"
        case .invalidToken: "li203e13:invalid tokene"
        case .storeFull: "li202e13:store is fulle"
        case .busy: "li202e4:busye"
        case .methodUnknown: "li204e14:method unknowne"
        case .valueTooLong: "li205e21:value over 1000 bytese"
        case .invalidSignature: "li206e17:invalid signaturee"
        case .saltTooLong: "li207e18:salt over 64 bytese"
        case .otherSequence: "li301e27:cas mismatch, read it againe"
        case .networkQuota: "li202e12:prefix quotae"
        case .addressQuota: "li202e13:address quotae"
        case .fromTheFuture: "li203e15:from the futuree"
        case .expired: "li203e7:expirede"
        case .recordTooLong: "li205e20:value over 745 bytese"
        case .oldSequence: "li302e28:sequence number is not newere"
        }
    }
}

/// Writes KRPC messages in place.
///
/// The fixed parts are literals with their keys in order, as bencode demands: an answer then allocates nothing and
/// costs little beside its system call.
extension ByteWriter {
    mutating func query(_ query: OutgoingQuery, from id: NodeID, transaction: UInt32, isReadOnly: Bool) {
        let start = count
        append("d1:ad")
        if case .put(let put) = query { head(ofPut: put) }
        append("2:id20:")
        id.value.write(to: &self)
        switch query {
        case .ping:
            append("e1:q4:ping")
        case .findNode(let target, let wantsBoth):
            append("6:target20:")
            target.value.write(to: &self)
            append(wantsBoth ? "4:wantl2:n42:n6ee1:q9:find_node" : "e1:q9:find_node")
        case .getPeers(let infoHash, let sparesSeeds):
            append("9:info_hash20:")
            infoHash.value.write(to: &self)
            append(sparesSeeds ? "6:noseedi1ee1:q9:get_peers" : "e1:q9:get_peers")
        case .announcePeer(let infoHash, let port, let isSeed, let token):
            append("9:info_hash20:")
            infoHash.value.write(to: &self)
            append("4:porti")
            decimal(Int(port))
            append(isSeed ? "e4:seedi1e5:token" : "e5:token")
            decimal(token.count)
            append(":")
            append(token)
            append("e1:q13:announce_peer")
        case .get(let target, let sequence):
            arguments(ofGet: target, newerThan: sequence)
        case .put(let put):
            arguments(ofPut: put)
        case .scrape(let infoHash):
            append("9:info_hash20:")
            infoHash.value.write(to: &self)
            append("6:scrapei1e")
            padding(from: start)
            append("e1:q9:get_peers")
        case .sampleInfohashes(let target):
            append("6:target20:")
            target.value.write(to: &self)
            padding(from: start)
            append("e1:q17:sample_infohashes")
        case .proveKey(let nonce):
            arguments(ofProof: nonce)
        case .getHave(let query):
            arguments(ofGetHave: query, from: start)
        case .putHave(let query):
            arguments(ofPutHave: query)
        }
        if isReadOnly { append("2:roi1e") }
        append("1:t4:")
        bigEndian(transaction)
        ending(type: "q")
    }

    /// Fills a query up to a third of the longest reply: its answer is then no gift to whoever forges our address, and
    /// comes whole from nodes that have not heard from us before (hardening D9). To be the last argument.
    private mutating func padding(from start: Int) {
        // Everything that follows takes 40 bytes and more.
        let filler = max(0, ReplySize.paddedQuery - (count - start) - 40)
        append(utf8: "1:z\(filler):")
        for _ in 0..<filler { byte(0) }
    }

    /// The beginning of a reply, open for further values of `r` in the order interval, nodes, number, samples, token,
    /// values.
    mutating func beginReply(from id: NodeID, to querier: Endpoint, filters: ScrapeFilters? = nil, count: Int? = nil) {
        append("d")
        externalAddress(querier)
        append("1:rd")
        if let filters { replyFilters(seeds: filters.seeds, peers: filters.peers) }
        if let count { replyCount(count) }
        append("2:id20:")
        id.value.write(to: &self)
    }

    /// `nodes` and `nodes6`, each where it was wanted (BEP 32).
    mutating func replyNodes(_ named: NamedContacts) {
        if let contacts = named.v4 {
            append("5:nodes")
            compact(contacts, byteCount: Contact.compactByteCount(.v4))
        }
        if let contacts = named.v6 {
            append("6:nodes6")
            compact(contacts, byteCount: Contact.compactByteCount(.v6))
        }
    }

    private mutating func compact(_ contacts: [Contact], byteCount: Int) {
        append(atMost: 8 + contacts.count * byteCount) { room in
            room.decimal(contacts.count * byteCount)
            room.append(":")
            for contact in contacts { contact.writeCompact(to: &room) }
        }
    }

    mutating func replyToken(_ token: UInt64) {
        append("5:token8:")
        bigEndian(token)
    }

    /// Peers of one family (BEP 32).
    mutating func replyValues(_ peers: [Endpoint]) {
        append(atMost: 10 + peers.count * 21) { room in
            room.append("6:valuesl")
            for peer in peers {
                room.append(peer.address.isV4 ? "6:" : "18:")
                peer.writeCompact(to: &room)
            }
            room.append("e")
        }
    }

    mutating func endReply(transaction: RawSpan) {
        append("e")
        self.transaction(transaction)
        ending(type: "r")
    }

    mutating func error(_ error: ProtocolError, transaction: RawSpan, to querier: Endpoint) {
        append("d1:e")
        append(error.encoded)
        externalAddress(querier)
        self.transaction(transaction)
        ending(type: "e")
    }

    /// How we see the querier (BEP 42): from that it learns its own address.
    private mutating func externalAddress(_ querier: Endpoint) {
        append(querier.address.isV4 ? "2:ip6:" : "2:ip18:")
        querier.writeCompact(to: &self)
    }

    private mutating func transaction(_ bytes: RawSpan) {
        append(atMost: 6 + bytes.byteCount) { room in
            room.append("1:t")
            room.decimal(bytes.byteCount)
            room.append(":")
            room.append(bytes)
        }
    }

    /// The client, `sw`, with its version 0.1, and the type.
    private mutating func ending(type: StaticString) {
        append("1:v4:sw\u{0}\u{1}1:y1:")
        append(type)
        append("e")
    }
}

/// How long the parts of a `get_peers` reply are, to know how many values still fit (hardening D9).
enum ReplySize {
    /// Everything else, with the longest heads: `ip` of an IPv6 querier 25, `r` and `id` 32, token 17, frame of values
    /// 10, end of `r` 1, head of the transaction 6, version 9, type and end 7.
    static let fixed = 107
    /// What `ip` of an IPv4 querier takes less.
    static let shorterEndpoint = 13
    /// What a query is padded to whose answer may be long: 3 * 350 is more than any reply.
    static let paddedQuery = 350

    /// How many values of one family fit.
    static func values(
        _ family: AddressFamily,
        fitting limit: Int,
        named: NamedContacts,
        transaction: Int
    ) -> Int {
        let value = family == .v4 ? 2 + 6 : 3 + 18
        let frame = family == .v4 ? fixed - shorterEndpoint : fixed
        return max(0, limit - frame - named.byteCount - transaction) / value
    }
}
