import Cryptography
import PeerWire
import Primitives
import Testing

/// Dialogues with the machine: honest peers, slow ones, and liars (hardening F10, N44).
@Suite("Metadata download")
struct MetadataDownloadTests {
    typealias Action = MetadataDownload.Action

    static let start = Instant(nanoseconds: 1_000_000_000)
    /// Three pieces: 16 KiB, 16 KiB, 1000 bytes.
    static let truth = (0..<33_768).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    static let size = truth.count

    static func machine(_ truth: [UInt8] = truth) -> MetadataDownload {
        MetadataDownload(infoHash: InfoHash(SHA1.hash(truth).value))
    }

    static func piece(_ index: Int, of metadata: [UInt8] = truth) -> [UInt8] {
        Array(metadata[index * 16_384..<min((index + 1) * 16_384, metadata.count)])
    }

    static func wrong(_ index: Int) -> [UInt8] { piece(index).map { ~$0 } }

    static func answer(
        _ download: inout MetadataDownload,
        _ index: Int,
        from peer: UInt32,
        _ bytes: [UInt8]? = nil,
        after seconds: Double = 0
    ) -> [Action] {
        download.received(
            piece: index,
            totalSize: size,
            bytes: bytes ?? piece(index),
            from: peer,
            at: start + .seconds(seconds)
        )
    }

    @Test("asks one peer for several pieces at once and completes")
    func onePeer() {
        var download = MetadataDownloadTests.machine()

        #expect(
            download.offered(size: MetadataDownloadTests.size, by: 1, at: MetadataDownloadTests.start) == [
                .request(piece: 0, from: 1), .request(piece: 1, from: 1), .request(piece: 2, from: 1),
            ]
        )
        #expect(MetadataDownloadTests.answer(&download, 2, from: 1) == [])
        #expect(MetadataDownloadTests.answer(&download, 0, from: 1) == [])
        #expect(download.progress?.received == 2)
        #expect(MetadataDownloadTests.answer(&download, 1, from: 1) == [.complete(MetadataDownloadTests.truth)])
        #expect(download.isComplete == true)
        #expect(download.nextDeadline == nil)
    }

    @Test("gives the pieces of one that left to another")
    func disconnect() {
        var download = MetadataDownloadTests.machine()
        _ = download.offered(size: MetadataDownloadTests.size, by: 1, at: MetadataDownloadTests.start)
        #expect(download.offered(size: MetadataDownloadTests.size, by: 2, at: MetadataDownloadTests.start) == [])
        #expect(
            download.disconnected(1, at: MetadataDownloadTests.start) == [
                .request(piece: 0, from: 2), .request(piece: 1, from: 2), .request(piece: 2, from: 2),
            ]
        )
    }

    @Test("asks a second peer, and no third, when the first lets it wait")
    func patience() {
        var download = MetadataDownloadTests.machine(MetadataDownloadTests.piece(0))
        let start = MetadataDownloadTests.start
        #expect(download.offered(size: 16_384, by: 1, at: start) == [.request(piece: 0, from: 1)])
        #expect(download.offered(size: 16_384, by: 2, at: start) == [])
        #expect(download.offered(size: 16_384, by: 3, at: start) == [])
        #expect(download.nextDeadline == start + .seconds(2))
        #expect(download.advanced(to: start + .seconds(2)) == [.request(piece: 0, from: 2)])
        #expect(download.advanced(to: start + .seconds(4)) == [])
        #expect(download.advanced(to: start + .seconds(5)) == [])
        #expect(
            download.received(
                piece: 0,
                totalSize: 16_384,
                bytes: MetadataDownloadTests.piece(0),
                from: 1,
                at: start + .seconds(6)
            ) == [.complete(MetadataDownloadTests.piece(0))]
        )
    }

    @Test("leaves a silent peer alone, and takes its late answer")
    func silence() {
        var download = MetadataDownloadTests.machine(MetadataDownloadTests.piece(0))
        let start = MetadataDownloadTests.start
        _ = download.offered(size: 16_384, by: 1, at: start)
        #expect(download.advanced(to: start + .seconds(8)) == [.request(piece: 0, from: 1)])
        #expect(download.advanced(to: start + .seconds(16)) == [])
        #expect(download.nextDeadline == start + .seconds(30))
        #expect(download.advanced(to: start + .seconds(30)) == [])
        #expect(download.nextDeadline == start + .seconds(46))
        #expect(
            download.received(
                piece: 0,
                totalSize: 16_384,
                bytes: MetadataDownloadTests.piece(0),
                from: 1,
                at: start + .seconds(40)
            ) == [.complete(MetadataDownloadTests.piece(0))]
        )
    }

    @Test("asks again later where a request was rejected")
    func reject() {
        var download = MetadataDownloadTests.machine(MetadataDownloadTests.piece(0))
        let start = MetadataDownloadTests.start
        _ = download.offered(size: 16_384, by: 1, at: start)
        #expect(download.rejected(piece: 0, by: 1, at: start) == [])
        #expect(download.nextDeadline == start + .seconds(10))
        #expect(download.advanced(to: start + .seconds(10)) == [.request(piece: 0, from: 1)])
    }

    @Test("bans the only contributor of a wrong result")
    func soleLiar() {
        var download = MetadataDownloadTests.machine()
        let start = MetadataDownloadTests.start
        _ = download.offered(size: MetadataDownloadTests.size, by: 1, at: start)
        #expect(MetadataDownloadTests.answer(&download, 0, from: 1) == [])
        #expect(MetadataDownloadTests.answer(&download, 1, from: 1, MetadataDownloadTests.wrong(1)) == [])
        #expect(MetadataDownloadTests.answer(&download, 2, from: 1) == [.ban([1])])
        #expect(
            download.offered(size: MetadataDownloadTests.size, by: 2, at: start) == [
                .request(piece: 0, from: 2), .request(piece: 1, from: 2), .request(piece: 2, from: 2),
            ]
        )
    }

    @Test("finds two liars among four by what they contributed")
    func mixedLiars() {
        var download = MetadataDownloadTests.machine()
        let start = MetadataDownloadTests.start
        let size = MetadataDownloadTests.size
        // The first takes all three and leaves; the others share what it left.
        _ = download.offered(size: size, by: 9, at: start)
        for peer in [1, 2, 3] as [UInt32] { #expect(download.offered(size: size, by: peer, at: start) == []) }
        #expect(
            download.disconnected(9, at: start) == [
                .request(piece: 0, from: 1), .request(piece: 1, from: 2), .request(piece: 2, from: 3),
            ]
        )
        #expect(MetadataDownloadTests.answer(&download, 0, from: 1, MetadataDownloadTests.wrong(0)) == [])
        #expect(MetadataDownloadTests.answer(&download, 1, from: 2, MetadataDownloadTests.wrong(1)) == [])
        // The result is wrong: from now on each is asked for the whole alone.
        let alone = MetadataDownloadTests.answer(&download, 2, from: 3)
        #expect(alone.count == 9)
        #expect(Set(alone) == Set((0..<3).flatMap { piece in (1...3).map { .request(piece: piece, from: $0) } }))
        #expect(MetadataDownloadTests.answer(&download, 0, from: 3) == [])
        #expect(MetadataDownloadTests.answer(&download, 1, from: 3) == [])
        #expect(
            MetadataDownloadTests.answer(&download, 2, from: 3) == [
                .ban([1, 2]), .complete(MetadataDownloadTests.truth),
            ]
        )
    }

    @Test("bans a liar that lies again when asked alone")
    func liarAlone() {
        var download = MetadataDownloadTests.machine()
        let start = MetadataDownloadTests.start
        let size = MetadataDownloadTests.size
        _ = download.offered(size: size, by: 9, at: start)
        _ = download.offered(size: size, by: 1, at: start)
        _ = download.offered(size: size, by: 2, at: start)
        _ = download.disconnected(9, at: start)
        _ = MetadataDownloadTests.answer(&download, 0, from: 1, MetadataDownloadTests.wrong(0))
        _ = MetadataDownloadTests.answer(&download, 1, from: 2)
        _ = MetadataDownloadTests.answer(&download, 2, from: 1)
        _ = MetadataDownloadTests.answer(&download, 0, from: 1, MetadataDownloadTests.wrong(0))
        _ = MetadataDownloadTests.answer(&download, 1, from: 1)
        #expect(MetadataDownloadTests.answer(&download, 2, from: 1) == [.ban([1])])
    }

    @Test("keeps sizes apart, and bans who named another one than the true one")
    func sizes() {
        var download = MetadataDownloadTests.machine()
        let start = MetadataDownloadTests.start
        #expect(download.offered(size: 100, by: 1, at: start) == [.request(piece: 0, from: 1)])
        #expect(download.offered(size: MetadataDownloadTests.size, by: 2, at: start).count == 3)
        _ = MetadataDownloadTests.answer(&download, 0, from: 2)
        _ = MetadataDownloadTests.answer(&download, 1, from: 2)
        #expect(
            MetadataDownloadTests.answer(&download, 2, from: 2) == [.ban([1]), .complete(MetadataDownloadTests.truth)]
        )
    }

    @Test("bans who sends or names another size than before, or sends a piece of the wrong length")
    func contradictions() {
        var download = MetadataDownloadTests.machine()
        let start = MetadataDownloadTests.start
        _ = download.offered(size: MetadataDownloadTests.size, by: 1, at: start)
        #expect(
            download.received(piece: 0, totalSize: 16_384, bytes: MetadataDownloadTests.piece(0), from: 1, at: start)
                == [.ban([1])]
        )
        _ = download.offered(size: MetadataDownloadTests.size, by: 2, at: start)
        #expect(MetadataDownloadTests.answer(&download, 0, from: 2, [1, 2, 3]) == [.ban([2])])
        _ = download.offered(size: MetadataDownloadTests.size, by: 3, at: start)
        #expect(download.offered(size: MetadataDownloadTests.size, by: 3, at: start) == [])
        #expect(download.offered(size: 100, by: 3, at: start) == [.ban([3])])
    }

    @Test(
        "ignores sizes outside the limit, and pieces and rejects that nobody asked for",
        arguments: [0, -1, 8_388_609, Int.max]
    )
    func unasked(size: Int) {
        var download = MetadataDownloadTests.machine()
        let start = MetadataDownloadTests.start
        #expect(download.offered(size: size, by: 1, at: start) == [])
        #expect(MetadataDownloadTests.answer(&download, 0, from: 1) == [])
        _ = download.offered(size: MetadataDownloadTests.size, by: 2, at: start)
        #expect(MetadataDownloadTests.answer(&download, 0, from: 3) == [])
        #expect(download.rejected(piece: 99, by: 2, at: start) == [])
        _ = MetadataDownloadTests.answer(&download, 0, from: 2)
        #expect(MetadataDownloadTests.answer(&download, 0, from: 2, MetadataDownloadTests.wrong(0)) == [])
        #expect(MetadataDownloadTests.answer(&download, -1, from: 2, [1]) == [])
        #expect(download.progress?.received == 1)
    }

    @Test("gives sizes that more peers agree on the place of lonely ones")
    func majority() {
        var download = MetadataDownloadTests.machine()
        let start = MetadataDownloadTests.start
        for liar in 1...3 as ClosedRange<UInt32> {
            #expect(download.offered(size: 100 + Int(liar), by: liar, at: start) == [.request(piece: 0, from: liar)])
        }
        #expect(download.offered(size: MetadataDownloadTests.size, by: 10, at: start) == [])
        let requests = download.offered(size: MetadataDownloadTests.size, by: 11, at: start)
        #expect(requests.count == 3)
        #expect(
            Set(requests).isSubset(
                of: (0..<3).flatMap { [.request(piece: $0, from: 10), .request(piece: $0, from: 11)] }
            )
        )
    }

    @Test("ends the turn of slow liars for one honest peer")
    func turns() {
        var download = MetadataDownloadTests.machine()
        let start = MetadataDownloadTests.start
        for liar in 1...3 as ClosedRange<UInt32> {
            _ = download.offered(size: 8_000_000 + Int(liar), by: liar, at: start)
        }
        #expect(download.offered(size: MetadataDownloadTests.size, by: 10, at: start) == [])
        // Each liar answers just often enough never to time out.
        for second in stride(from: 5, through: 25, by: 5) {
            for liar in 1...3 as ClosedRange<UInt32> {
                for piece in (second / 5 - 1) * 3..<second / 5 * 3 {
                    _ = download.received(
                        piece: piece,
                        totalSize: 8_000_000 + Int(liar),
                        bytes: [UInt8](repeating: 0, count: 16_384),
                        from: liar,
                        at: start + .seconds(second)
                    )
                }
            }
        }
        #expect(
            download.advanced(to: start + .seconds(30)).filter { action in
                if case .request(_, from: 10) = action { true } else { false }
            }.count == 3
        )
    }

    /// Honest peers, silent ones and liars of three kinds in a random order: the truth comes out, and no honest peer is banned.
    @Test("survives any mixture of peers, and bans no honest one", arguments: 1...40 as ClosedRange<UInt64>)
    func swarm(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var download = MetadataDownloadTests.machine()
        var now = MetadataDownloadTests.start
        var queue: [Action] = []
        // Every fifth peer is honest, the others are chosen by the seed.
        let kinds = (0..<15).map { $0 % 5 == 0 ? 0 : Int.random(in: 1...4, using: &random) }
        for peer in kinds.indices.shuffled(using: &random) {
            let size = kinds[peer] == 4 ? 50_000 + peer : MetadataDownloadTests.size
            queue += download.offered(size: size, by: UInt32(peer), at: now)
        }
        var banned: Set<UInt32> = []
        var result: [UInt8]?
        for _ in 0..<5000 where result == nil {
            guard !queue.isEmpty else {
                guard let deadline = download.nextDeadline else { break }
                now = max(now, deadline)
                queue = download.advanced(to: now)
                continue
            }
            switch queue.remove(at: Int.random(in: 0..<queue.count, using: &random)) {
            case .complete(let bytes): result = bytes
            case .ban(let peers): banned.formUnion(peers)
            case .request(let piece, let peer):
                let kind = kinds[Int(peer)]
                let size = kind == 4 ? 50_000 + Int(peer) : MetadataDownloadTests.size
                guard let range = MetadataMessage.range(ofPiece: piece, size: size) else { continue }
                let bytes = kind == 0 ? MetadataDownloadTests.piece(piece) : [UInt8](repeating: 7, count: range.count)
                switch kind {
                case 2: queue += download.rejected(piece: piece, by: peer, at: now)
                case 3: break
                default:
                    queue += download.received(piece: piece, totalSize: size, bytes: bytes, from: peer, at: now)
                }
            }
        }

        #expect(result == MetadataDownloadTests.truth)
        #expect(banned.allSatisfy { kinds[Int($0)] != 0 })
    }
}
