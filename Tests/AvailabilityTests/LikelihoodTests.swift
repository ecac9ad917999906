import Availability
import Primitives
import Testing

@Suite("Claims in bulk")
struct LikelihoodTests {
    /// One of each form: all, bitfield, runs, digest.
    static let forms: [(name: String, count: Int, held: @Sendable (Int) -> Bool)] = [
        ("all", 100, { _ in true }),
        ("bitfield", 4000, { $0 * 7 % 10 < 3 }),
        ("runs", 100_000, { $0 % 5000 < 800 }),
        ("digest", 100_000, { $0 * 31 % 97 < 40 || $0 < 2000 }),
        ("digest with empty buckets", 70_001, { $0 > 30_000 && $0 * 17 % 11 < 5 }),
    ]

    private func claims(_ count: Int, _ held: (Int) -> Bool) throws -> (PieceClaims, Bitfield) {
        var pieces = Bitfield(count: count)
        for piece in 0..<count where held(piece) { pieces[piece] = true }
        let blob = try #require(HaveBlob(pieces, rarestFirst: stride(from: 3, to: count, by: 211)))
        return (blob.claims, pieces)
    }

    @Test("spans and rows say what each piece alone says, in 26ths", arguments: forms.indices)
    func agreement(form: Int) throws {
        let (_, count, held) = LikelihoodTests.forms[form]
        let (claims, _) = try claims(count, held)
        var sums = [Int](repeating: 0, count: count)
        for span in claims.spans { for piece in span.pieces { sums[piece] += Int(span.amount) } }
        var row: [UInt8] = [9]
        claims.likelihoods(of: PieceSample((-1...count).reversed(), of: count), into: &row)
        let alone = (0..<count).map { Int((claims.likelihood(of: $0) * 26).rounded()) }
        #expect(sums == alone)
        #expect(row.map(Int.init) == alone)
        claims.likelihoods(of: PieceSample([1, 2, 3], of: count + 1), into: &row)
        #expect(row == [0, 0, 0])
    }

    @Test("whoever told the truth falls short of nothing, with more pieces neither", arguments: forms.indices)
    func truth(form: Int) throws {
        let (_, count, held) = LikelihoodTests.forms[form]
        var (claims, pieces) = try claims(count, held)
        #expect(claims.shortfall(of: pieces).missing == 0)
        #expect(claims.shortfall(of: pieces).claimed > 0)
        for piece in stride(from: 0, to: count, by: 3) { pieces[piece] = true }
        #expect(claims.shortfall(of: pieces).missing == 0)
    }

    @Test("what was claimed exactly is missed to the piece")
    func exactShortfall() throws {
        var (claims, pieces) = try claims(4000) { $0 % 4 == 0 }
        for piece in 0..<8 { pieces[4 * piece] = false }
        #expect(claims.shortfall(of: pieces).missing == 8)
        #expect(claims.shortfall(of: pieces).claimed == 1000)
    }

    @Test("a digest is held to its steps and to what it names")
    func digestShortfall() throws {
        let (claims, pieces) = try claims(100_000, LikelihoodTests.forms[3].held)
        guard case .digest(let digest) = claims else { Issue.record("no digest"); return }
        #expect(claims.shortfall(of: Bitfield(count: 100_000)).missing == claims.shortfall(of: pieces).claimed)
        // Steps are lower bounds, so a little less than what is truly held.
        let claimed = claims.shortfall(of: pieces).claimed
        #expect(claimed <= pieces.setCount && claimed > pieces.setCount * 9 / 10)
        var without = pieces
        for piece in digest.listed.prefix(5) { without[piece] = false }
        #expect(claims.shortfall(of: without).missing >= 1)
    }
}
