package import Primitives

/// What a client says in the text protocol of port 5100 (tracker.md): to the tracker what it holds and what it looks for, to
/// another client what it wants.
package enum ChunkLine: Hashable, Sendable {
    /// Where a client says it can be reached.
    package enum Host: Hashable, Sendable {
        /// What old clients were shipped with: the machine that they run on.
        case localhost
        case address(IPAddress)
    }

    /// `LOCAL_CHUNKS,i,hash,ip,port`; the hash may be missing with its comma.
    case holds(chunk: Int, hash: SHA1Digest?, host: Host, port: UInt16)
    /// `WHERE_CHUNK,i`
    case asks(chunk: Int)
    /// `REQUEST_CHUNK,i`, between clients; the answer is the bytes and the end of the connection.
    case requests(chunk: Int)

    package static let holdsVerb = "LOCAL_CHUNKS"
    package static let asksVerb = "WHERE_CHUNK"
    package static let requestsVerb = "REQUEST_CHUNK"

    /// As bytes, with the comma that always follows: none of them lies inside another, nor in any field.
    static let openings: [[UInt8]] = [holdsVerb, asksVerb, requestsVerb].map { Array("\($0),".utf8) }

    /// Reads one whole message, which may have spaces around its fields; `nil` for anything else.
    package init?(_ message: some StringProtocol) {
        let fields = message.split(separator: ",", maxSplits: 5, omittingEmptySubsequences: false)
            .map { $0.trimmingSpaces }
        guard fields.count >= 2, let chunk = Int(decimalDigits: fields[1]) else { return nil }
        switch (String(fields[0]), fields.count) {
        case (ChunkLine.asksVerb, 2): self = .asks(chunk: chunk)
        case (ChunkLine.requestsVerb, 2): self = .requests(chunk: chunk)
        case (ChunkLine.holdsVerb, 4...5):
            guard let host = Host(fields[fields.count - 2]), let port = Int(decimalDigits: fields[fields.count - 1]),
                let port = UInt16(exactly: port), port > 0
            else { return nil }
            let text = fields.count == 5 ? fields[2] : ""
            let hash = SHA1Digest(hex: text)
            guard hash != nil || text.isEmpty else { return nil }
            self = .holds(chunk: chunk, hash: hash, host: host, port: port)
        default: return nil
        }
    }

    package var chunk: Int {
        switch self {
        case .holds(let chunk, _, _, _), .asks(let chunk), .requests(let chunk): chunk
        }
    }
}

extension ChunkLine: CustomStringConvertible {
    /// As it goes over the wire, without a line feed.
    package var description: String {
        switch self {
        case .holds(let chunk, let hash, let host, let port):
            "\(ChunkLine.holdsVerb),\(chunk),\(hash.map { "\($0.hex)," } ?? "")\(host),\(port)"
        case .asks(let chunk): "\(ChunkLine.asksVerb),\(chunk)"
        case .requests(let chunk): "\(ChunkLine.requestsVerb),\(chunk)"
        }
    }
}

extension ChunkLine.Host: CustomStringConvertible {
    init?(_ text: some StringProtocol) {
        if text == "localhost" {
            self = .localhost
        } else if let address = IPAddress(text) {
            self = .address(address)
        } else {
            return nil
        }
    }

    package var description: String {
        switch self {
        case .localhost: "localhost"
        case .address(let address): "\(address)"
        }
    }
}

/// What the tracker answers to `WHERE_CHUNK`.
package enum ChunkAnswer: Hashable, Sendable, CustomStringConvertible {
    /// `GET_CHUNK_FROM,i,hash,ip,port,ip,port...`
    case getFrom(chunk: Int, hash: HashField, [Endpoint])
    /// `CHUNK_LOCATION_UNKNOWN,i`
    case unknown(chunk: Int)

    /// What stands between the number and the holders.
    package enum HashField: Hashable, Sendable {
        case hash(SHA1Digest)
        /// Nobody told one, and the asker reads holders behind it.
        case empty
        /// The asker reads holders in its place.
        case omitted
    }

    package var description: String {
        switch self {
        case .getFrom(let chunk, let hash, let holders):
            holders.reduce(into: "GET_CHUNK_FROM,\(chunk)\(hash)") { text, holder in
                text += ",\(holder.address),\(holder.port)"
            }
        case .unknown(let chunk): "CHUNK_LOCATION_UNKNOWN,\(chunk)"
        }
    }
}

extension ChunkAnswer.HashField: CustomStringConvertible {
    package var description: String {
        switch self {
        case .hash(let hash): ",\(hash.hex)"
        case .empty: ","
        case .omitted: ""
        }
    }
}

extension Int {
    /// Digits and nothing else, ten at most: no sign, and nothing that could overflow.
    init?(decimalDigits text: some StringProtocol) {
        guard (1...10).contains(text.utf8.count), text.utf8.allSatisfy({ 48...57 ~= $0 }) else { return nil }
        self.init(text)
    }
}

extension StringProtocol {
    /// Without the blanks before and behind it.
    var trimmingSpaces: SubSequence {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
        let front = self[...].drop(while: isBlank)
        guard let last = front.lastIndex(where: { !isBlank($0) }) else { return front }
        return front[...last]
    }
}
