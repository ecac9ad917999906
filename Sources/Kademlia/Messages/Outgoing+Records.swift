import Availability
import Cryptography
import Primitives

/// The arguments of a `get_have`.
struct OutgoingGetHave: Hashable, Sendable {
    let infoHash: InfoHash
    /// The first four bytes of each key whose record we have already.
    var known: [UInt32] = []
    /// Whether records are wanted: their answer has to be earned by a long query (hardening D9).
    var isPadded = true
}

/// The arguments of a `put_have`.
struct OutgoingPutHave: Hashable, Sendable {
    let record: AvailabilityRecord
    let token: [UInt8]
}

/// Our own queries and their replies, in place (secure-peer.md, §1 and §2).
extension ByteWriter {
    /// Writes the arguments of `sp_id` behind the identifier: padded, so that the answer of 180 bytes, or 193 to an IPv6
    /// querier, is no gift to whoever forges our address.
    mutating func arguments(ofProof nonce: UInt256) {
        append("1:n32:")
        nonce.write(to: &self)
        zeros(120)
        append("e1:q5:sp_id")
    }

    /// - Parameter start: where the query begins.
    mutating func arguments(ofGetHave query: OutgoingGetHave, from start: Int) {
        append("9:info_hash20:")
        query.infoHash.value.write(to: &self)
        if !query.known.isEmpty {
            append("1:xl")
            for prefix in query.known {
                append("4:")
                bigEndian(prefix)
            }
            append("e")
        }
        // The end of the arguments, the method and what follows it take 39 bytes, and the head of the padding 7.
        let filler = ReplySize.paddedQuery - (count - start) - 39 - 7
        if query.isPadded, filler > 0 { zeros(filler) }
        append("e1:q8:get_have")
    }

    mutating func arguments(ofPutHave query: OutgoingPutHave) {
        append("9:info_hash20:")
        query.record.infoHash.value.write(to: &self)
        append("1:k32:")
        query.record.key.value.write(to: &self)
        append("3:seqi")
        decimal(Int(query.record.sequence))
        append("e3:sig64:")
        query.record.signature.write(to: &self)
        append("5:token")
        decimal(query.token.count)
        append(":")
        append(query.token)
        append("1:v")
        append(query.record.value)
        append("e1:q8:put_have")
    }

    /// `z`, the argument that is nothing but long.
    private mutating func zeros(_ count: Int) {
        append("1:z")
        decimal(count)
        append(":")
        append(atMost: count) { for _ in 0..<count { $0.byte(0) } }
    }

    // MARK: Replies

    mutating func replyProof(_ proof: BindingProof) {
        append("1:k32:")
        proof.key.value.write(to: &self)
        append("3:sig64:")
        proof.signature.write(to: &self)
    }

    /// How many records are held, before the identifier.
    mutating func replyCount(_ count: Int) {
        append("1:ci")
        decimal(count)
        append("e")
    }

    mutating func replyRecords(_ records: some Sequence<HeldRecord>) {
        append("4:recsl")
        for record in records {
            append("d")
            if let seenAt = record.seenAt {
                append(seenAt.address.isV4 ? "1:a6:" : "1:a18:")
                seenAt.writeCompact(to: &self)
            }
            append("1:k32:")
            record.key.value.write(to: &self)
            append("3:seqi")
            decimal(Int(record.sequence))
            append("e3:sig64:")
            record.signature.write(to: &self)
            append("1:v")
            append(record.value)
            append("e")
        }
        append("e")
    }
}

extension ReplySize {
    /// A reply to `sp_id` without its transaction: 176 bytes to an IPv4 querier, 13 more to an IPv6 one.
    static func proof(_ family: AddressFamily) -> Int { family == .v4 ? 189 - shorterEndpoint : 189 }

    /// A reply to `get_have` without contacts, records and transaction: `ip` of an IPv6 querier 25, `r` and `id` 32, a
    /// count of two digits 7, token 17, end of `r` 1, head of the transaction 6, version 9, type and end 7.
    static func have(_ family: AddressFamily) -> Int { family == .v4 ? 104 - shorterEndpoint : 104 }

    /// The frame of a list of records.
    static let records = 8

    /// One record: its dictionary 2, `a` 11 or 24, key 38, a sequence number of so many digits and 7, signature 72, head
    /// of the value 3.
    static func record(_ record: HeldRecord) -> Int {
        let seenAt = record.seenAt.map { $0.address.isV4 ? 11 : 24 } ?? 0
        return 122 + seenAt + String(record.sequence).utf8.count + record.value.count
    }
}
