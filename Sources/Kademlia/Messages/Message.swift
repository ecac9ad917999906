import Bencode
import Primitives

/// A KRPC message (BEP 5) as it was read; strings are ranges into the datagram, so that reading allocates nothing.
struct Message: Hashable, Sendable {
    enum Method: Hashable, Sendable {
        case ping
        case findNode
        case getPeers
        case announcePeer
        /// BEP 44.
        case get
        case put
        /// BEP 51.
        case sampleInfohashes
        /// Ours: secure-peer.md, §1 and §2.
        case proveKey
        case getHave
        case putHave
        case unknown
    }

    enum Kind: Hashable, Sendable {
        case query(Method)
        case reply
        case error
    }

    var kind: Kind
    /// Echoed byte by byte in the answer.
    var transaction: Range<Int>
    /// The sender cannot be reached by queries of others (BEP 43).
    var isReadOnly = false
    /// How the sender of a reply sees us: a compact endpoint (BEP 42).
    var externalAddress: Range<Int>?
    /// The sender's client and its version.
    var client: Range<Int>?
    /// The code of an error (BEP 5, BEP 44), and its text.
    var errorCode: Int64?
    var errorText: Range<Int>?
    /// Keys that did not follow the one before them (hardening P4).
    var orderFaults = 0
    var body = MessageBody()

    /// Whether the sender says that it is a node of our kind: `sw` and a version of two bytes.
    func isOfOurKind(_ datagram: RawSpan) -> Bool {
        guard let client, client.count == 4 else { return false }
        return datagram.matches(at: client.lowerBound, "sw")
    }
}

/// The arguments of a query or the values of a reply; what a message does not carry, or not in the right form, is
/// `nil`.
struct MessageBody: Hashable, Sendable {
    var id: NodeID?
    var target: NodeID?
    var infoHash: InfoHash?
    var port: Int64?
    var impliesPort = false
    var token: Range<Int>?
    /// Compact contacts, IPv4 and IPv6 (BEP 32).
    var nodes: Range<Int>?
    var nodes6: Range<Int>?
    /// Which of them the asker wants; neither is its own family alone (BEP 32).
    var wantsV4 = false
    var wantsV6 = false
    /// The bencoded list of compact peers.
    var values: Range<Int>?

    /// BEP 33: whether the announcer is complete, whether the asker is and would rather not hear of seeds, whether filters
    /// are asked for, and the filters of a reply.
    var isSeed = false
    var sparesSeeds = false
    var wantsScrape = false
    var seedFilter: Range<Int>?
    var peerFilter: Range<Int>?

    /// BEP 44. `value` is the bencoded value as it stands in the datagram.
    var value: Range<Int>?
    var key: Range<Int>?
    var signature: Range<Int>?
    var salt: Range<Int>?
    var sequence: Int64?
    var compareAndSwap: Int64?
    /// Seconds since the item was published, by our own nodes (`OutgoingPut`).
    var age: Int64?

    /// BEP 51.
    var samples: Range<Int>?
    var interval: Int64?
    var number: Int64?

    /// Ours: what a proof is asked with; the lists of key prefixes that are known and of records; how many are held.
    var nonce: Range<Int>?
    var knownKeys: Range<Int>?
    var records: Range<Int>?
    var count: Int64?
}

extension Message {
    /// Reads a message. Keys that we do not know are passed over, and keys out of order are forgiven, but counted
    /// (hardening P4).
    init(_ datagram: RawSpan, transactionBytes: Int) throws(BencodeError) {
        self.init(kind: .error, transaction: 0..<0)
        var reader = BencodeReader(datagram, limits: .krpc)
        var type: Range<Int>?
        var method: Range<Int>?
        try reader.beginDictionary()
        while let key = try reader.nextKey() {
            if reader.matches(key, "t") {
                transaction = try reader.string()
            } else if reader.matches(key, "y") {
                type = try reader.string()
            } else if reader.matches(key, "q") {
                method = try reader.string()
            } else if reader.matches(key, "a") || reader.matches(key, "r") {
                body = try MessageBody(&reader)
            } else if reader.matches(key, "v") {
                client = try reader.optionalString()
            } else if reader.matches(key, "ip") {
                externalAddress = try reader.optionalString()
            } else if reader.matches(key, "ro") {
                isReadOnly = try reader.optionalInteger() == 1
            } else if reader.matches(key, "e") {
                try readError(&reader)
            } else {
                try reader.skipValue()
            }
        }
        try reader.finish()
        orderFaults = reader.orderFaults
        guard transaction.count <= transactionBytes, !transaction.isEmpty,
            let type, let kind = Message.kind(type, method, in: reader)
        else { throw BencodeError(.expected(.string), at: 0) }
        self.kind = kind
    }

    /// Reads `[code, text]`; whatever else is there is passed over.
    private mutating func readError(_ reader: inout BencodeReader) throws(BencodeError) {
        guard try reader.beginOptionalList() else { return }
        var position = 0
        while try reader.hasElement() {
            switch position {
            case 0: errorCode = try reader.optionalInteger()
            case 1: errorText = try reader.optionalString()
            default: try reader.skipValue()
            }
            position += 1
        }
    }

    private static func kind(_ type: Range<Int>, _ method: Range<Int>?, in reader: borrowing BencodeReader) -> Kind? {
        if reader.matches(type, "r") { return .reply }
        if reader.matches(type, "e") { return .error }
        guard reader.matches(type, "q"), let method else { return nil }
        if reader.matches(method, "ping") { return .query(.ping) }
        if reader.matches(method, "find_node") { return .query(.findNode) }
        if reader.matches(method, "get_peers") { return .query(.getPeers) }
        if reader.matches(method, "announce_peer") { return .query(.announcePeer) }
        if reader.matches(method, "get") { return .query(.get) }
        if reader.matches(method, "put") { return .query(.put) }
        if reader.matches(method, "sample_infohashes") { return .query(.sampleInfohashes) }
        if reader.matches(method, "sp_id") { return .query(.proveKey) }
        if reader.matches(method, "get_have") { return .query(.getHave) }
        if reader.matches(method, "put_have") { return .query(.putHave) }
        return .query(.unknown)
    }
}

extension MessageBody {
    /// Reads the dictionary that begins at the reader, or passes over a value of another type.
    fileprivate init(_ reader: inout BencodeReader) throws(BencodeError) {
        self.init()
        guard try reader.beginOptionalDictionary() else { return }
        while let key = try reader.nextKey() {
            if reader.matches(key, "id") {
                id = try reader.optionalString().flatMap { reader.identifier(NodeID.self, $0) }
            } else if reader.matches(key, "target") {
                target = try reader.optionalString().flatMap { reader.identifier(NodeID.self, $0) }
            } else if reader.matches(key, "info_hash") {
                infoHash = try reader.optionalString().flatMap { reader.identifier(InfoHash.self, $0) }
            } else if reader.matches(key, "port") {
                port = try reader.optionalInteger()
            } else if reader.matches(key, "implied_port") {
                impliesPort = try reader.optionalInteger() ?? 0 != 0
            } else if reader.matches(key, "token") {
                token = try reader.optionalString()
            } else if reader.matches(key, "nodes") {
                nodes = try reader.optionalString()
            } else if reader.matches(key, "nodes6") {
                nodes6 = try reader.optionalString()
            } else if reader.matches(key, "want") {
                try readWant(&reader)
            } else if reader.matches(key, "values") {
                let isList = reader.nextKind == .list
                let range = try reader.skipValue()
                values = isList ? range : nil
            } else if try !readScrape(key, &reader), try !readItem(key, &reader), try !readSample(key, &reader),
                try !readRecords(key, &reader)
            {
                try reader.skipValue()
            }
        }
    }

    /// `want` is a list of `n4` and `n6` (BEP 32).
    private mutating func readWant(_ reader: inout BencodeReader) throws(BencodeError) {
        guard try reader.beginOptionalList() else { return }
        while try reader.hasElement() {
            guard let family = try reader.optionalString() else { continue }
            if reader.matches(family, "n4") { wantsV4 = true }
            if reader.matches(family, "n6") { wantsV6 = true }
        }
    }

    private mutating func readScrape(
        _ key: Range<Int>,
        _ reader: inout BencodeReader
    ) throws(BencodeError) -> Bool {
        if reader.matches(key, "seed") {
            isSeed = try reader.optionalInteger() == 1
        } else if reader.matches(key, "noseed") {
            sparesSeeds = try reader.optionalInteger() == 1
        } else if reader.matches(key, "scrape") {
            wantsScrape = try reader.optionalInteger() == 1
        } else if reader.matches(key, "BFsd") {
            seedFilter = try reader.optionalString()
        } else if reader.matches(key, "BFpe") {
            peerFilter = try reader.optionalString()
        } else {
            return false
        }
        return true
    }

    private mutating func readItem(
        _ key: Range<Int>,
        _ reader: inout BencodeReader
    ) throws(BencodeError) -> Bool {
        if reader.matches(key, "v") {
            value = try reader.skipValue()
        } else if reader.matches(key, "k") {
            self.key = try reader.optionalString()
        } else if reader.matches(key, "sig") {
            signature = try reader.optionalString()
        } else if reader.matches(key, "salt") {
            salt = try reader.optionalString()
        } else if reader.matches(key, "seq") {
            sequence = try reader.optionalInteger()
        } else if reader.matches(key, "cas") {
            compareAndSwap = try reader.optionalInteger()
        } else if reader.matches(key, "age") {
            age = try reader.optionalInteger()
        } else {
            return false
        }
        return true
    }

    private mutating func readSample(
        _ key: Range<Int>,
        _ reader: inout BencodeReader
    ) throws(BencodeError) -> Bool {
        if reader.matches(key, "samples") {
            samples = try reader.optionalString()
        } else if reader.matches(key, "interval") {
            interval = try reader.optionalInteger()
        } else if reader.matches(key, "num") {
            number = try reader.optionalInteger()
        } else {
            return false
        }
        return true
    }

    /// The contacts of one family in a reply, the first `limit`. A rest that is no whole contact is left out.
    func contacts(_ family: AddressFamily, in datagram: RawSpan, atMost limit: Int) -> [Contact] {
        guard let nodes = family == .v4 ? nodes : nodes6 else { return [] }
        let size = Contact.compactByteCount(family)
        let count = min(nodes.count / size, limit)
        var contacts: [Contact] = []
        contacts.reserveCapacity(count)
        for index in 0..<count {
            let offset = nodes.lowerBound &+ index &* size
            if let contact = Contact(compact: family, datagram, at: offset) { contacts.append(contact) }
        }
        return contacts
    }

    /// Whether a reply to this query shall name contacts of `family`: those asked for, else those of the family that
    /// the query came over (BEP 32).
    func wants(_ family: AddressFamily, over transport: AddressFamily) -> Bool {
        guard wantsV4 || wantsV6 else { return family == transport }
        return family == .v4 ? wantsV4 : wantsV6
    }

    /// The peers of one family in a reply, the first `limit`.
    ///
    /// A list may mix both families (BEP 32), and is then read for one: the other DHT names the others.
    func peers(_ family: AddressFamily, in datagram: RawSpan, atMost limit: Int) -> [Endpoint] {
        guard let values else { return [] }
        var peers: [Endpoint] = []
        var reader = BencodeReader(datagram.extracting(values), limits: .krpc)
        do {
            try reader.beginList()
            while peers.count < limit, try reader.hasElement() {
                guard let element = try reader.optionalString(),
                    element.count == family.compactEndpointByteCount,
                    let peer = Endpoint(compact: family, reader.bytes, at: element.lowerBound)
                else { continue }
                peers.append(peer)
            }
        } catch {
            // Cannot be: the message was read as a whole before. What was read until here is as good.
        }
        return peers
    }
}
