import Bencode
import Primitives

/// A KRPC message (BEP 5) as it was read; strings are ranges into the datagram, so that reading allocates nothing.
struct Message: Hashable, Sendable {
    enum Method: Hashable, Sendable {
        case ping
        case findNode
        case getPeers
        case announcePeer
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
    var isReadOnly: Bool
    var body: MessageBody
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
    /// Compact IPv4 contacts.
    var nodes: Range<Int>?
    /// The bencoded list of compact IPv4 peers.
    var values: Range<Int>?
}

extension Message {
    /// Reads a message. Keys that we do not know are passed over, and keys out of order are forgiven (hardening P4).
    init(_ datagram: RawSpan, transactionBytes: Int) throws(BencodeError) {
        var reader = BencodeReader(datagram, limits: .krpc)
        var transaction: Range<Int>?
        var type: Range<Int>?
        var method: Range<Int>?
        var isReadOnly = false
        var body = MessageBody()
        try reader.beginDictionary()
        while let key = try reader.nextKey() {
            if reader.matches(key, "t") {
                transaction = try reader.string()
            } else if reader.matches(key, "y") {
                type = try reader.string()
            } else if reader.matches(key, "q") {
                method = try reader.string()
            } else if reader.matches(key, "ro") {
                isReadOnly = try reader.optionalInteger() == 1
            } else if reader.matches(key, "a") || reader.matches(key, "r") {
                body = try MessageBody(&reader)
            } else {
                try reader.skipValue()
            }
        }
        try reader.finish()
        guard let transaction, transaction.count <= transactionBytes, !transaction.isEmpty,
            let type, let kind = Message.kind(type, method, in: reader)
        else { throw BencodeError(.expected(.string), at: 0) }
        self.init(kind: kind, transaction: transaction, isReadOnly: isReadOnly, body: body)
    }

    private static func kind(_ type: Range<Int>, _ method: Range<Int>?, in reader: borrowing BencodeReader) -> Kind? {
        if reader.matches(type, "r") { return .reply }
        if reader.matches(type, "e") { return .error }
        guard reader.matches(type, "q"), let method else { return nil }
        if reader.matches(method, "ping") { return .query(.ping) }
        if reader.matches(method, "find_node") { return .query(.findNode) }
        if reader.matches(method, "get_peers") { return .query(.getPeers) }
        if reader.matches(method, "announce_peer") { return .query(.announcePeer) }
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
            } else if reader.matches(key, "values") {
                let isList = reader.nextKind == .list
                let range = try reader.skipValue()
                values = isList ? range : nil
            } else {
                try reader.skipValue()
            }
        }
    }

    /// The contacts of a reply, the first `limit`. A rest that is no whole contact is left out.
    func contacts(in datagram: RawSpan, atMost limit: Int) -> [Contact] {
        guard let nodes else { return [] }
        let count = min(nodes.count / Contact.compactByteCount, limit)
        return (0..<count).compactMap {
            Contact(compactV4: datagram, at: nodes.lowerBound &+ $0 &* Contact.compactByteCount)
        }
    }

    /// The peers of a reply, the first `limit`. Elements of another length (BEP 32 mixes in IPv6) are left out.
    func peers(in datagram: RawSpan, atMost limit: Int) -> [Endpoint] {
        guard let values else { return [] }
        var peers: [Endpoint] = []
        var reader = BencodeReader(datagram.extracting(values), limits: .krpc)
        do {
            try reader.beginList()
            while peers.count < limit, try reader.hasElement() {
                guard let element = try reader.optionalString(), element.count == 6 else { continue }
                if let peer = Endpoint(compactV4: reader.bytes, at: element.lowerBound) { peers.append(peer) }
            }
        } catch {
            // Cannot be: the message was read as a whole before. What was read until here is as good.
        }
        return peers
    }
}
