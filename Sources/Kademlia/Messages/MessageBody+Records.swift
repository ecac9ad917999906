import Bencode
import Primitives

/// The arguments and values of our own queries (secure-peer.md, §1 and §2).
extension MessageBody {
    /// Reads the value of a key if it is one of ours; `false` leaves it to others.
    mutating func readRecords(
        _ key: Range<Int>,
        _ reader: inout BencodeReader
    ) throws(BencodeError) -> Bool {
        if reader.matches(key, "n") {
            nonce = try reader.optionalString()
        } else if reader.matches(key, "x") {
            knownKeys = try MessageBody.list(&reader)
        } else if reader.matches(key, "recs") {
            records = try MessageBody.list(&reader)
        } else if reader.matches(key, "c") {
            count = try reader.optionalInteger()
        } else {
            return false
        }
        return true
    }

    private static func list(_ reader: inout BencodeReader) throws(BencodeError) -> Range<Int>? {
        let isList = reader.nextKind == .list
        let range = try reader.skipValue()
        return isList ? range : nil
    }

    /// The prefixes of keys that the asker knows, the first `limit`; what is no prefix is passed over.
    func knownPrefixes(in datagram: RawSpan, atMost limit: Int) -> [UInt32] {
        guard let knownKeys else { return [] }
        let list = datagram.extracting(knownKeys)
        var reader = BencodeReader(list, limits: .krpc)
        var prefixes: [UInt32] = []
        do throws(BencodeError) {
            guard try reader.beginOptionalList() else { return [] }
            while prefixes.count < limit, try reader.hasElement() {
                guard let range = try reader.optionalString(), range.count == 4,
                    let prefix = list.bigEndian(UInt32.self, at: range.lowerBound)
                else { continue }
                prefixes.append(prefix)
            }
        } catch {
            // Cannot be: the message was read as a whole before. What was read until here is as good.
        }
        return prefixes
    }
}
