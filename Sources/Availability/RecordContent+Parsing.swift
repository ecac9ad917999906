import Bencode
import Primitives

extension RecordContent {
    /// Reads the value of a record, within the table's limits; keys that we do not know are passed over.
    ///
    /// Keys ascend and none comes twice (hardening P4, N6): a signed value has one form.
    init(parsing value: RawSpan) throws(RecordFault) {
        let fields: Fields
        do { fields = try Fields(value) } catch { throw .malformed }
        guard fields.integer(\.version, in: RecordContent.version...RecordContent.version) != nil,
            let pieceCount = fields.integer(\.pieceCount, in: 1...Int64(HaveBlob.mostPieces)),
            let heldCount = fields.integer(\.heldCount, in: 1...pieceCount),
            let flags = fields.integer(\.flags, in: 0...255), let port = fields.integer(\.port, in: 1...65_535),
            let lifetime = fields.integer(\.lifetime, in: Fields.lifetimes),
            let load = fields.integer(\.load, in: 0...3).flatMap({ Load(rawValue: UInt8($0)) }),
            let blobRange = fields.blob
        else { throw .field }
        endpoint4 = try Fields.endpoint(.v4, value, fields.endpoint4)
        endpoint6 = try Fields.endpoint(.v6, value, fields.endpoint6)
        do throws(HaveBlobFault) {
            blob = try HaveBlob(parsing: value.extracting(blobRange), pieceCount: Int(pieceCount))
        } catch {
            throw .blob
        }
        self.heldCount = Int(heldCount)
        guard blob.claims.heldCount ?? self.heldCount == self.heldCount else { throw .count }
        self.flags = Flags(rawValue: UInt8(flags))
        self.port = UInt16(port)
        lifetimeSeconds = Int(lifetime)
        self.load = load
    }

    /// The fields as they stand; what is missing or of another type is `nil`.
    private struct Fields {
        static let lifetimes = Int64(RecordContent.lifetimes.lowerBound)...Int64(RecordContent.lifetimes.upperBound)
        private static let limits = BencodeLimits(
            depth: 4,
            tokens: 100,
            byteCount: AvailabilityRecord.longestValue,
            isStrict: true
        )

        /// One that is there and is no string cannot be what it has to be.
        enum OptionalString {
            case missing
            case bytes(Range<Int>)
            case wrong
        }

        var endpoint6 = OptionalString.missing
        var heldCount: Int64?
        var endpoint4 = OptionalString.missing
        var flags: Int64?
        var blob: Range<Int>?
        var pieceCount: Int64?
        var port: Int64?
        var lifetime: Int64?
        var load: Int64?
        var version: Int64?

        init(_ value: RawSpan) throws(BencodeError) {
            var reader = BencodeReader(value, limits: Fields.limits)
            try reader.beginDictionary()
            while let key = try reader.nextKey() {
                switch key.count == 1 ? value.byte(at: key.lowerBound) ?? 0 : 0 {
                case UInt8(ascii: "E"): endpoint6 = try reader.optionalString().map { .bytes($0) } ?? .wrong
                case UInt8(ascii: "c"): heldCount = try reader.optionalInteger()
                case UInt8(ascii: "e"): endpoint4 = try reader.optionalString().map { .bytes($0) } ?? .wrong
                case UInt8(ascii: "f"): flags = try reader.optionalInteger()
                case UInt8(ascii: "h"): blob = try reader.optionalString()
                case UInt8(ascii: "n"): pieceCount = try reader.optionalInteger()
                case UInt8(ascii: "p"): port = try reader.optionalInteger()
                case UInt8(ascii: "t"): lifetime = try reader.optionalInteger()
                case UInt8(ascii: "u"): load = try reader.optionalInteger()
                case UInt8(ascii: "v"): version = try reader.optionalInteger()
                default: try reader.skipValue()
                }
            }
            try reader.finish()
        }

        func integer(_ field: KeyPath<Fields, Int64?>, in range: ClosedRange<Int64>) -> Int64? {
            self[keyPath: field].flatMap { range.contains($0) ? $0 : nil }
        }

        static func endpoint(
            _ family: AddressFamily,
            _ value: RawSpan,
            _ field: OptionalString
        ) throws(RecordFault) -> Endpoint? {
            switch field {
            case .missing: return nil
            case .bytes(let range) where range.count == family.compactEndpointByteCount:
                return Endpoint(compact: family, value, at: range.lowerBound)
            case .bytes, .wrong: throw .field
            }
        }
    }
}
