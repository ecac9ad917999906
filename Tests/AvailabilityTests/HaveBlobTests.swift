import Availability
import Primitives
import Testing

/// What a blob of these bytes says, or why it says nothing; the macros of Swift Testing take no spans.
func parsed(_ bytes: [UInt8], of pieceCount: Int) -> Result<PieceClaims, HaveBlobFault> {
    do throws(HaveBlobFault) {
        return .success(try HaveBlob(parsing: bytes.span.bytes, pieceCount: pieceCount).claims)
    } catch {
        return .failure(error)
    }
}

extension Bitfield {
    init(count: Int, _ pieces: some Sequence<Int>) {
        self.init(count: count)
        for piece in pieces { self[piece] = true }
    }
}

@Suite("Have-blob")
struct HaveBlobTests {
    @Test("everything takes one byte")
    func all() throws {
        #expect(try #require(HaveBlob(Bitfield(filled: 100_000))).bytes == [1])
        #expect(parsed([1], of: 100_000) == .success(.all(pieceCount: 100_000)))
        #expect(parsed([1, 0], of: 8) == .failure(.wrongLength))
    }

    @Test("nothing, and more pieces than a torrent may have, cannot be said")
    func none() {
        #expect(HaveBlob(Bitfield(count: 5)) == nil)
        #expect(HaveBlob(Bitfield(filled: HaveBlob.mostPieces + 1)) == nil)
        #expect(parsed([], of: 8) == .failure(.empty))
        #expect(parsed([1], of: 0) == .failure(.empty))
        #expect(parsed([0], of: 8) == .failure(.unknownForm))
        #expect(parsed([5], of: 8) == .failure(.unknownForm))
        #expect(parsed([2] + [UInt8](repeating: 0, count: 640), of: 5120) == .failure(.tooLong))
    }

    @Test("scattered pieces are a bitfield, the first piece the highest bit")
    func bitfield() throws {
        let pieces = Bitfield(count: 10, [0, 2, 4, 6, 9])
        #expect(try #require(HaveBlob(pieces)).bytes == [2, 0b1010_1010, 0b0100_0000])
        #expect(parsed([2, 0b1010_1010, 0b0100_0000], of: 10) == .success(.bitfield(pieces)))
    }

    @Test("a bitfield of another length, or with a spare bit, is refused (N15)")
    func badBitfield() {
        #expect(parsed([2, 1], of: 10) == .failure(.wrongLength))
        #expect(parsed([2, 1, 0, 0], of: 10) == .failure(.wrongLength))
        #expect(parsed([2, 1, 0b0010_0000], of: 10) == .failure(.spareBitSet))
    }

    @Test("what was fetched in order takes some five bytes")
    func runs() throws {
        let pieces = Bitfield(count: 100_000, 0..<37_000)
        let blob = try #require(HaveBlob(pieces))
        #expect(blob.bytes == [3, 0, 0x88, 0xa1, 0x02])
        #expect(blob.claims.certain == pieces)
        #expect(blob.claims.heldCount == 37_000)
        #expect([-1, 0, 36_999, 37_000, 99_999, 100_000].map { blob.claims.likelihood(of: $0) } == [0, 1, 1, 0, 0, 0])
        #expect(parsed(blob.bytes, of: 100_000) == .success(blob.claims))
    }

    @Test(
        "runs that are empty, touch, end with a gap, run over, or are not written as they have to be, are refused (N15)",
        arguments: [
            ([], HaveBlobFault.malformedRuns),
            ([0, 0], .malformedRuns),
            ([0, 1, 0, 1], .malformedRuns),
            ([1], .wrongLength),
            ([0, 3, 2], .wrongLength),
            ([0, 11], .outOfRange),
            ([5, 5, 1, 1], .outOfRange),
            ([0x80, 0x00, 1], .overlongNumber),
            ([0x81, 0x80, 0x00, 1], .overlongNumber),
            ([0x80], .wrongLength),
            ([0xff, 0xff, 0xff, 0xff, 0x7f, 1], .outOfRange),
        ]
    )
    func badRuns(bytes: [UInt8], fault: HaveBlobFault) {
        #expect(parsed([3] + bytes, of: 10) == .failure(fault))
    }

    @Test("200 random pieces of 100,000 are told exactly, and so are all but 200", arguments: [1, 2, 3])
    func scattered(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let some = Bitfield(count: 100_000, (0..<200).map { _ in Int.random(in: 0..<100_000, using: &random) })
        var rest = Bitfield(filled: 100_000)
        rest.subtract(some)
        for pieces in [some, rest] {
            let blob = try #require(HaveBlob(pieces))
            #expect(blob.bytes.first == 3)
            #expect(blob.bytes.count <= HaveBlob.longest)
            #expect(blob.claims.certain == pieces)
            #expect(parsed(blob.bytes, of: 100_000) == .success(blob.claims))
        }
    }

    @Test("up to 5112 pieces every pattern is told exactly", arguments: [1, 2, 7, 8, 63, 64, 65, 5111, 5112])
    func exact(pieceCount: Int) throws {
        var random = SeededRandom(seed: UInt64(pieceCount))
        let pieces = Bitfield(count: pieceCount, [0] + (0..<pieceCount).filter { _ in Bool.random(using: &random) })
        let blob = try #require(HaveBlob(pieces))
        #expect(blob.bytes.count <= HaveBlob.longest)
        #expect(blob.claims.isExact)
        #expect(blob.claims.certain == pieces)
        #expect(parsed(blob.bytes, of: pieceCount) == .success(blob.claims))
    }

    // MARK: Digest

    @Test("half of 100,000 random pieces become a digest that names more than 300 rare ones")
    func digest() throws {
        var random = SeededRandom(seed: 4)
        let pieces = Bitfield(count: 100_000, (0..<100_000).filter { _ in Bool.random(using: &random) })
        let rarest = pieces.indices.shuffled(using: &random)
        let blob = try #require(HaveBlob(pieces, rarestFirst: rarest))
        #expect((600...640).contains(blob.bytes.count))
        guard case .digest(let digest) = blob.claims else {
            Issue.record("no digest")
            return
        }
        #expect((300...511).contains(digest.listed.count))
        #expect(Set(digest.listed) == Set(rarest.prefix(digest.listed.count)))
        #expect(digest.listed.allSatisfy { blob.claims.likelihood(of: $0) == 1 })
        #expect(blob.claims.heldCount == nil)
        #expect(parsed(blob.bytes, of: 100_000) == .success(blob.claims))
    }

    /// 6000 pieces in 256 buckets: the first ends at floor(6000 / 256) = 23.
    @Test("a level tells how likely each piece of its bucket is; full and empty buckets are certain")
    func levels() throws {
        var random = SeededRandom(seed: 5)
        var pieces = Bitfield(count: 6000, (46..<6000).filter { _ in Bool.random(using: &random) })
        for piece in 0..<23 { pieces[piece] = true }
        let blob = try #require(HaveBlob(pieces))
        #expect(blob.bytes.first == 4)
        #expect(blob.bytes[1] == 0xf0)
        #expect((0..<23).allSatisfy { blob.claims.likelihood(of: $0) == 1 })
        #expect((23..<46).allSatisfy { blob.claims.likelihood(of: $0) == 0 })
        let held = (46..<70).count { pieces[$0] }
        #expect(blob.claims.likelihood(of: 50) == (Double(1 + 13 * held / 24) - 0.5) / 13)
        #expect(blob.claims.likelihood(of: 6000) == 0)
    }

    @Test("of fewer pieces than buckets each has its own", arguments: [1, 3, 255, 256, 257, 1000])
    func buckets(pieceCount: Int) throws {
        let pieces = Bitfield(count: pieceCount, (0..<pieceCount).filter { $0.isMultiple(of: 3) })
        let buckets = min(256, pieceCount)
        var bytes: [UInt8] = [4]
        var held: [Bool] = []
        for bucket in 0..<buckets {
            let range = bucket * pieceCount / buckets..<(bucket + 1) * pieceCount / buckets
            held += [Bool](repeating: range.contains { pieces[$0] }, count: range.count)
            let level: UInt8 = range.allSatisfy { pieces[$0] } ? 15 : range.contains { pieces[$0] } ? 1 : 0
            if bucket.isMultiple(of: 2) { bytes.append(level << 4) } else { bytes[bytes.count - 1] |= level }
        }
        guard case .success(let claims) = parsed(bytes + [0], of: pieceCount) else {
            Issue.record("not parsed")
            return
        }
        #expect((0..<pieceCount).map { claims.likelihood(of: $0) > 0 } == held)
    }

    @Test("a digest with the unused nibble, a spare one, or a piece that cannot be, is refused (N15)")
    func badDigest() {
        #expect(parsed([4, 0xe0, 0], of: 2) == .failure(.unusedLevel))
        #expect(parsed([4, 0x0e, 0], of: 2) == .failure(.unusedLevel))
        #expect(parsed([4, 0xff, 0x01, 0], of: 3) == .failure(.spareBitSet))
        #expect(parsed([4, 0x11], of: 2) == .failure(.wrongLength))
        #expect(parsed([4], of: 2) == .failure(.wrongLength))
        #expect(parsed([4, 0x11, 1], of: 2) == .failure(.wrongLength))
        #expect(parsed([4, 0x11, 0, 0], of: 2) == .failure(.wrongLength))
        #expect(parsed([4, 0x11, 1, 2], of: 2) == .failure(.outOfRange))
        #expect(parsed([4, 0x11, 2, 1, 0], of: 2) == .failure(.outOfRange))
        #expect(parsed([4, 0x11, 1, 0x80, 0], of: 2) == .failure(.overlongNumber))
        #expect(parsed([4, 0x10, 1, 1], of: 2) == .failure(.contradiction))
        #expect(parsed([4, 0x10, 1, 0], of: 2) != .failure(.contradiction))
    }

    @Test("pieces that are not held, come twice, or lie in a full bucket are not named")
    func naming() throws {
        var random = SeededRandom(seed: 6)
        var pieces = Bitfield(count: 6000, (100..<6000).filter { _ in Bool.random(using: &random) })
        for piece in 0..<23 { pieces[piece] = true }
        pieces[200] = true
        pieces[201] = false
        let blob = try #require(HaveBlob(pieces, rarestFirst: [200, 5, 201, 200, -1, 6000]))
        guard case .digest(let digest) = blob.claims else {
            Issue.record("no digest")
            return
        }
        #expect(digest.listed == [200])
    }

    @Test("two million pieces, every other held, still fit")
    func most() throws {
        let pieces = Bitfield(count: HaveBlob.mostPieces, stride(from: 0, to: HaveBlob.mostPieces, by: 2))
        let rarest = stride(from: 0, to: HaveBlob.mostPieces, by: 4096)
        let blob = try #require(HaveBlob(pieces, rarestFirst: rarest))
        #expect(blob.bytes.count <= HaveBlob.longest)
        #expect(parsed(blob.bytes, of: HaveBlob.mostPieces) == .success(blob.claims))
    }

    @Test("whatever the bytes, reading ends, and what was read means the same again", arguments: [1, 2, 3, 4])
    func random(form: UInt8) throws {
        var random = SeededRandom(seed: UInt64(form))
        for _ in 0..<2000 {
            let pieceCount = Int.random(in: 1...600, using: &random)
            let count = Int.random(in: 0...300, using: &random)
            let bytes = [form] + (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) & 0x3f }
            guard case .success(let claims) = parsed(bytes, of: pieceCount), let held = claims.heldCount else {
                continue
            }
            #expect(claims.certain.setCount == held)
        }
    }
}
