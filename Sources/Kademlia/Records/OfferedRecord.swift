import Bencode
import Cryptography
import Primitives

/// One entry of `recs` in a reply to `get_have`: well formed, but nothing of it is proved.
struct OfferedRecord: Hashable, Sendable {
    let key: Ed25519.PublicKey
    let sequence: Int64
    let signature: Ed25519.Signature
    /// Where the value stands in the datagram.
    let value: Range<Int>
    /// Where it was put from, as the sender says; `nil` for its own one.
    let seenAt: Endpoint?

    /// One that we hold.
    init(_ held: HeldRecord) {
        key = held.key
        sequence = held.sequence
        signature = held.signature
        value = 0..<0
        seenAt = held.seenAt
    }

    /// Reads a list, the first `limit` entries; those with a field missing are passed over.
    static func list(_ body: MessageBody, in datagram: RawSpan, atMost limit: Int) -> [OfferedRecord] {
        guard let records = body.records else { return [] }
        let list = datagram.extracting(records)
        var reader = BencodeReader(list, limits: .krpc)
        var offers: [OfferedRecord] = []
        do throws(BencodeError) {
            guard try reader.beginOptionalList() else { return [] }
            while offers.count < limit, try reader.hasElement() {
                if let offer = try OfferedRecord(&reader, from: records.lowerBound) { offers.append(offer) }
            }
        } catch {
            // Cannot be: the message was read as a whole before. What was read until here is as good.
        }
        return offers
    }

    /// Reads the entry at the reader; `nil` where it is none.
    private init?(_ reader: inout BencodeReader, from start: Int) throws(BencodeError) {
        var key: Ed25519.PublicKey?
        var sequence: Int64?
        var signature: Ed25519.Signature?
        var value: Range<Int>?
        var seenAt: Endpoint?
        guard try reader.beginOptionalDictionary() else { return nil }
        while let name = try reader.nextKey() {
            if reader.matches(name, "a") {
                seenAt = try reader.optionalString().flatMap { Endpoint(compact: reader.slice($0)) }
            } else if reader.matches(name, "k") {
                guard let range = try reader.optionalString(), range.count == Ed25519.PublicKey.byteCount else {
                    continue
                }
                key = Ed25519.PublicKey(reader.bytes, at: range.lowerBound)
            } else if reader.matches(name, "seq") {
                sequence = try reader.optionalInteger()
            } else if reader.matches(name, "sig") {
                guard let range = try reader.optionalString(), range.count == Ed25519.Signature.byteCount else {
                    continue
                }
                signature = Ed25519.Signature(reader.bytes, at: range.lowerBound)
            } else if reader.matches(name, "v") {
                let range = try reader.skipValue()
                value = range.lowerBound + start..<range.upperBound + start
            } else {
                try reader.skipValue()
            }
        }
        guard let key, let sequence, let signature, let value else { return nil }
        self.key = key
        self.sequence = sequence
        self.signature = signature
        self.value = value
        self.seenAt = seenAt
    }
}
