import Primitives
import Testing
import TrackerProtocol

@Suite("The lines of the chunk protocol")
struct ChunkLineTests {
    static let hash = "0123456789abcdef0123456789abcdef01234567"

    @Test(
        "a documented line reads as what it says, and writes as it was",
        arguments: [
            ("LOCAL_CHUNKS,1,\(hash),localhost,6000", 1), ("LOCAL_CHUNKS,12,127.0.0.1,6001", 12),
            ("LOCAL_CHUNKS,3,\(hash),::1,65535", 3), ("WHERE_CHUNK,4", 4), ("REQUEST_CHUNK,2", 2),
        ]
    )
    func roundTrip(text: String, chunk: Int) {
        let line = ChunkLine(text)
        #expect(line?.description == text)
        #expect(line?.chunk == chunk)
    }

    @Test("fields may have blanks around them, and a hash may be left empty")
    func lenient() {
        #expect(ChunkLine("WHERE_CHUNK, 4 \r") == .asks(chunk: 4))
        #expect(
            ChunkLine("LOCAL_CHUNKS,1,,localhost,6000")
                == .holds(chunk: 1, hash: nil, host: .localhost, port: 6000)
        )
    }

    @Test(
        "what is not a line is not guessed at",
        arguments: [
            "", ",", "WHERE_CHUNK", "WHERE_CHUNK,", "WHERE_CHUNK,-1", "WHERE_CHUNK,+1", "WHERE_CHUNK,1,2",
            "where_chunk,1",
            "WHERE_CHUNK,99999999999999999999", "WHERE_CHUNK,１", "LOCAL_CHUNKS,1", "LOCAL_CHUNKS,1,localhost",
            "LOCAL_CHUNKS,1,localhost,0", "LOCAL_CHUNKS,1,localhost,65536", "LOCAL_CHUNKS,1,example.org,6000",
            "LOCAL_CHUNKS,1,abc,localhost,6000", "LOCAL_CHUNKS,1,\(hash)0,localhost,6000",
            "LOCAL_CHUNKS,1,\(hash),localhost,6000,7", "GET_CHUNK_FROM,1,localhost,6000",
        ]
    )
    func refused(text: String) {
        #expect(ChunkLine(text) == nil)
    }

    @Test("the answers are the documented ones, with a hash, an empty field for it, and without")
    func answers() throws {
        let holders = [Endpoint(.loopbackV4, 6000), Endpoint(.v4(0x0a00_0001), 6001)]
        let hash = try #require(SHA1Digest(hex: Self.hash))
        #expect(
            "\(ChunkAnswer.getFrom(chunk: 2, hash: .hash(hash), holders))"
                == "GET_CHUNK_FROM,2,\(Self.hash),127.0.0.1,6000,10.0.0.1,6001"
        )
        #expect(
            "\(ChunkAnswer.getFrom(chunk: 2, hash: .omitted, holders))"
                == "GET_CHUNK_FROM,2,127.0.0.1,6000,10.0.0.1,6001"
        )
        #expect(
            "\(ChunkAnswer.getFrom(chunk: 2, hash: .empty, holders))"
                == "GET_CHUNK_FROM,2,,127.0.0.1,6000,10.0.0.1,6001"
        )
        #expect("\(ChunkAnswer.unknown(chunk: 9))" == "CHUNK_LOCATION_UNKNOWN,9")
    }
}
