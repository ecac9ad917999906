import PeerWire
import Testing

@Suite("Metadata server")
struct MetadataServerTests {
    static let metadata = (0..<20_000).map { UInt8(truncatingIfNeeded: $0) }

    @Test("cuts the metadata into pieces of 16 KiB, the last one shorter")
    func slices() {
        var server = MetadataServer(metadata: MetadataServerTests.metadata)

        #expect(
            server.answer(requestFor: 0, from: 1)
                == .data(piece: 0, totalSize: 20_000, bytes: Array(MetadataServerTests.metadata[..<16_384]))
        )
        #expect(
            server.answer(requestFor: 1, from: 1)
                == .data(piece: 1, totalSize: 20_000, bytes: Array(MetadataServerTests.metadata[16_384...]))
        )
    }

    @Test("rejects pieces that are not there", arguments: [-1, 2, Int.max, Int.min])
    func outside(piece: Int) {
        var server = MetadataServer(metadata: MetadataServerTests.metadata)

        #expect(server.answer(requestFor: piece, from: 1) == .reject(piece: piece))
    }

    @Test("gives one peer the whole three times and no more")
    func flood() {
        var server = MetadataServer(metadata: MetadataServerTests.metadata)
        let answers = (0..<8).map { _ in server.answer(requestFor: 0, from: 1) }

        #expect(answers.prefix(6).allSatisfy { $0 != .reject(piece: 0) })
        #expect(answers.suffix(2).allSatisfy { $0 == .reject(piece: 0) })
        #expect(server.answer(requestFor: 0, from: 2) != .reject(piece: 0))
        server.disconnected(1)
        #expect(server.answer(requestFor: 0, from: 1) != .reject(piece: 0))
    }
}
