import Availability
import Cryptography
import Primitives
import Testing

/// The bytes of a hexadecimal literal.
func hex(_ text: String) -> [UInt8] { Hex.decode(text) ?? [] }

@Suite("Availability record")
struct AvailabilityRecordTests {
    /// Of the design's known answers: seed 00 01 ... 1f.
    static var key: Ed25519.SigningKey? {
        let seed = (0..<32).map { UInt8($0) }
        return Ed25519.SigningKey(seed: seed.span.bytes)
    }
    static let infoHash = InfoHash(hex: "0123456789abcdef0123456789abcdef01234567") ?? InfoHash(.zero)
    static let sequence: Int64 = 1_700_000_000_000
    static let endpoint = Endpoint("124.31.75.21:6881")

    static func content(_ pieces: Bitfield = Bitfield(filled: 100_000)) throws -> RecordContent {
        RecordContent(
            try #require(HaveBlob(pieces)),
            heldCount: pieces.setCount,
            port: 6881,
            flags: [.secure, .plain],
            load: .free,
            endpoint4: endpoint
        )
    }

    static func record(_ content: RecordContent? = nil) throws -> AvailabilityRecord {
        try AvailabilityRecord(
            signing: try content ?? self.content(),
            of: infoHash,
            sequence: sequence,
            with: try #require(key)
        )
    }

    /// What somebody who is handed the record makes of it.
    static func read(
        _ record: AvailabilityRecord,
        value: [UInt8]? = nil,
        of infoHash: InfoHash = AvailabilityRecordTests.infoHash,
        pieceCount: Int? = nil,
        sequence: Int64? = nil,
        after milliseconds: Int64 = 0
    ) -> Result<AvailabilityRecord, RecordFault> {
        let value = value ?? record.value
        do throws(RecordFault) {
            let claim = try RecordClaim(
                value.span.bytes,
                key: record.key,
                of: infoHash,
                pieceCount: pieceCount,
                sequence: sequence ?? record.sequence,
                signature: record.signature,
                at: record.sequence + milliseconds
            )
            return .success(try AvailabilityRecord(verifying: claim))
        } catch {
            return .failure(error)
        }
    }

    @Test("the design's known answer: value, target, signature")
    func knownAnswer() throws {
        let record = try Self.record()
        let value =
            Array("d1:ci100000e1:e6:".utf8) + hex("7c1f4b151ae1")
            + Array("1:fi3e1:h1:\u{1}1:ni100000e1:pi6881e1:ti3600e1:ui1e1:vi1ee".utf8)
        #expect(record.value == value)
        #expect(record.target.hex == "b905390ddb8ead6d545a988f46fc5a5c03666886")
        #expect(
            record.signature.hex == "dc2d384a908da3974fcf6b2c6ed377188e1ba748d340eea1be9df8ac119b26f5"
                + "f6c1323ee674ee80fcf757fb85bc7fecde6deb0684c79a5e582383a3650bd40c"
        )
        #expect(Self.read(record) == .success(record))
    }

    /// A second known answer, made by libsodium called from Python, with another bencoder.
    @Test("a known answer with runs, both endpoints and a short life")
    func secondKnownAnswer() throws {
        var content = try Self.content(Bitfield(count: 1000, 10..<30))
        content.endpoint6 = Endpoint("[2001:db8::1]:6881")
        content.lifetimeSeconds = 60
        content.load = .full
        content.flags = .plain
        let record = try Self.record(content)
        #expect(
            Hex.encode(record.value)
                == "64313a4531383a20010db80000000000000000000000011ae1313a6369323065313a65363a7c1f4b151ae1313a666932"
                + "65313a68333a030a14313a6e693130303065313a70693638383165313a7469363065313a75693365313a7669316565"
        )
        #expect(
            record.signature.hex == "c09babc77c633c844a10674490539268a93b3a5cd8cd258127628d8753b98ff2"
                + "8be9f1b52e8d7b3e390fe9fd49e32eb7b1fcdc77ee114b2a2b821f947333fd0e"
        )
    }

    @Test("one signed for another torrent is not taken (N14)")
    func otherTorrent() throws {
        let other = try #require(InfoHash(hex: "1123456789abcdef0123456789abcdef01234567"))
        #expect(Self.read(try Self.record(), of: other) == .failure(.signature))
    }

    @Test("one changed in any byte is not taken")
    func changed() throws {
        let record = try Self.record()
        for index in record.value.indices {
            var value = record.value
            value[index] ^= 1
            guard case .failure = Self.read(record, value: value) else {
                Issue.record("taken with byte \(index) changed")
                continue
            }
        }
        #expect(Self.read(record, sequence: record.sequence + 1) == .failure(.signature))
    }

    @Test("one of a torrent with another number of pieces is not taken (N15)")
    func otherPieceCount() throws {
        let record = try Self.record()
        #expect(Self.read(record, pieceCount: 100_000) == .success(record))
        #expect(Self.read(record, pieceCount: 100_001) == .failure(.pieceCount))
    }

    @Test("one whose count is not that of its blob is not taken; of a digest nobody can tell (N15)")
    func otherCount() throws {
        let value = Array("d1:ci3e1:fi2e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti60e1:ui0e1:vi1ee".utf8)
        #expect(Self.read(try Self.record(), value: value) == .failure(.count))
        var content = try Self.content(Bitfield(count: 8, [6, 7]))
        content.heldCount = 3
        #expect(throws: RecordFault.field) { try Self.record(content) }
    }

    @Test("ten minutes of difference between clocks are forgiven, no more (N16)")
    func future() throws {
        let record = try Self.record()
        #expect(Self.read(record, after: -600_000) == .success(record))
        #expect(Self.read(record, after: -600_001) == .failure(.fromTheFuture))
        #expect(Self.read(record, after: -3_600_000) == .failure(.fromTheFuture))
    }

    @Test("it expires with its lifetime, and ten minutes for clocks that differ (N16)")
    func expired() throws {
        let record = try Self.record()
        #expect(record.expiresAt == record.sequence + 3_600_000)
        #expect(Self.read(record, after: 4_200_000) == .success(record))
        #expect(Self.read(record, after: 4_200_001) == .failure(.expired))
    }

    @Test("no sequence number is too wild", arguments: [Int64.max, .min, -1])
    func wildSequence(sequence: Int64) throws {
        let record = try Self.record()
        guard case .failure(let fault) = Self.read(record, sequence: sequence) else {
            Issue.record("taken")
            return
        }
        #expect(fault == (sequence < 0 ? .field : .fromTheFuture))
    }

    @Test("the longest there can be is as long as is allowed")
    func longest() throws {
        var random = SeededRandom(seed: 1)
        let pieces = Bitfield(
            count: HaveBlob.mostPieces,
            (0..<1_500_000).map { _ in
                Int.random(in: 0..<HaveBlob.mostPieces, using: &random)
            }
        )
        let bytes = try #require(HaveBlob(pieces, rarestFirst: pieces.indices.shuffled(using: &random)))
        #expect((638...640).contains(bytes.bytes.count))
        var content = RecordContent(bytes, heldCount: HaveBlob.mostPieces - 1, port: 65_535, lifetimeSeconds: 7200)
        content.endpoint4 = Self.endpoint
        content.endpoint6 = Endpoint("[2001:db8::1]:6881")
        let record = try Self.record(content)
        #expect(record.value.count == AvailabilityRecord.longestValue - (640 - bytes.bytes.count))
        let long = record.value + [UInt8](repeating: 0, count: 3)
        #expect(Self.read(record, value: long) == .failure(.tooLong))
    }

    @Test(
        "fields that are missing, out of range or of another type are refused, unknown ones passed over",
        arguments: [
            ("d1:ci2e1:fi2e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti60e1:ui0e1:vi1ee", RecordFault.signature),
            ("d1:ai1e1:ci2e1:fi2e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti60e1:ui0e1:vi1e1:zlee", .signature),
            ("d1:ci2e1:e6:abcdef1:fi2e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti7200e1:ui3e1:vi1ee", .signature),
            ("d1:fi2e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti60e1:ui0e1:vi1ee", .field),
            ("d1:ci0e1:fi2e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti60e1:ui0e1:vi1ee", .field),
            ("d1:ci9e1:fi2e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti60e1:ui0e1:vi1ee", .field),
            ("d1:ci2e1:e5:abcde1:fi2e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti60e1:ui0e1:vi1ee", .field),
            ("d1:E6:abcdef1:ci2e1:fi2e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti60e1:ui0e1:vi1ee", .field),
            ("d1:ci2e1:ei1e1:fi2e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti60e1:ui0e1:vi1ee", .field),
            ("d1:ci2e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti60e1:ui0e1:vi1ee", .field),
            ("d1:ci2e1:fi256e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti60e1:ui0e1:vi1ee", .field),
            ("d1:ci2e1:fi2e1:ni8e1:pi1e1:ti60e1:ui0e1:vi1ee", .field),
            ("d1:ci2e1:fi2e1:h0:1:ni8e1:pi1e1:ti60e1:ui0e1:vi1ee", .blob),
            ("d1:ci2e1:fi2e1:h2:\u{2}\u{3}1:ni0e1:pi1e1:ti60e1:ui0e1:vi1ee", .field),
            ("d1:ci2e1:fi2e1:h1:\u{1}1:ni2097153e1:pi1e1:ti60e1:ui0e1:vi1ee", .field),
            ("d1:ci2e1:fi2e1:h2:\u{2}\u{3}1:ni8e1:pi0e1:ti60e1:ui0e1:vi1ee", .field),
            ("d1:ci2e1:fi2e1:h2:\u{2}\u{3}1:ni8e1:pi65536e1:ti60e1:ui0e1:vi1ee", .field),
            ("d1:ci2e1:fi2e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti59e1:ui0e1:vi1ee", .field),
            ("d1:ci2e1:fi2e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti7201e1:ui0e1:vi1ee", .field),
            ("d1:ci2e1:fi2e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti60e1:ui4e1:vi1ee", .field),
            ("d1:ci2e1:fi2e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti60e1:ui0e1:vi2ee", .field),
            ("d1:ci2e1:fi2e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti60e1:ui0e1:v1:1e", .field),
            ("d1:fi2e1:ci2e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti60e1:ui0e1:vi1ee", .malformed),
            ("d1:ci2e1:ci2e1:fi2e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti60e1:ui0e1:vi1ee", .malformed),
            ("d1:ci02e1:fi2e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti60e1:ui0e1:vi1ee", .malformed),
            ("d1:ci2e1:fi2e1:h2:\u{2}\u{3}1:ni8e1:pi1e1:ti60e1:ui0e1:vi1eee", .malformed),
            ("le", .malformed),
            ("", .malformed),
        ]
    )
    func fields(value: String, fault: RecordFault) throws {
        #expect(Self.read(try Self.record(), value: Array(value.utf8)) == .failure(fault))
    }

    @Test("a record is signed only with content that readers take")
    func content() throws {
        var content = try Self.content()
        content.port = 0
        #expect(throws: RecordFault.field) { try Self.record(content) }
        content = try Self.content()
        content.lifetimeSeconds = 59
        #expect(throws: RecordFault.field) { try Self.record(content) }
        content = try Self.content()
        content.endpoint4 = Endpoint("[2001:db8::1]:6881")
        #expect(throws: RecordFault.field) { try Self.record(content) }
        content = try Self.content()
        content.endpoint6 = Self.endpoint
        #expect(throws: RecordFault.field) { try Self.record(content) }
    }
}
