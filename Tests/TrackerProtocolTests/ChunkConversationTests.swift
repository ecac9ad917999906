import Primitives
import Testing
import TrackerProtocol

@Suite("A conversation about chunks")
struct ChunkConversationTests {
    static let hash = ChunkLineTests.hash
    static let lan = IPAddress.v4(0x0a00_0005)
    static let publicly = IPAddress.v4(0x0808_0808)

    @Test("an old client frames nothing, and is answered once it pauses")
    func unframed() {
        var tracker = ChunkDialogue()
        #expect(tracker.say("LOCAL_CHUNKS,1,\(Self.hash),localhost,6000") == [])
        #expect(tracker.wait(.milliseconds(50)) == ["LOCAL_CHUNKS,1,\(Self.hash),localhost,6000"])
        #expect(tracker.say("WHERE_CHUNK,2") == [])
        #expect(tracker.wait(.milliseconds(49)) == [])
        #expect(tracker.wait(.milliseconds(1)) == ["WHERE_CHUNK,2", "> CHUNK_LOCATION_UNKNOWN,2"])
        tracker.connect()
        #expect(tracker.say("WHERE_CHUNK,1") == [])
        #expect(
            tracker.wait(.milliseconds(50)) == ["WHERE_CHUNK,1", "> GET_CHUNK_FROM,1,\(Self.hash),127.0.0.1,6000"]
        )
    }

    @Test("several messages in one segment are split at their verbs")
    func glued() {
        var tracker = ChunkDialogue()
        #expect(
            tracker.say("LOCAL_CHUNKS,1,localhost,6000LOCAL_CHUNKS,3,localhost,6000WHERE_CHUNK,2")
                == ["LOCAL_CHUNKS,1,localhost,6000", "LOCAL_CHUNKS,3,localhost,6000"]
        )
        #expect(tracker.end() == ["WHERE_CHUNK,2", "> CHUNK_LOCATION_UNKNOWN,2", "close"])
    }

    @Test("a message may come a byte at a time, with pauses where it cannot be over", arguments: [0, 1, 2, 3])
    func piecemeal(feeds: Int) {
        var tracker = ChunkDialogue()
        var heard: [String] = []
        for byte in "LOCAL_CHUNKS,1,\(Self.hash),127.0.0.1,6" { heard += tracker.say(String(byte)) }
        heard += tracker.say("000" + String(repeating: "\n", count: feeds))
        for byte in "WHERE_CH" { heard += tracker.say(String(byte)) }
        heard += tracker.wait(.seconds(1))
        heard += tracker.say("UNK,7\n")
        #expect(
            heard == [
                "LOCAL_CHUNKS,1,\(Self.hash),127.0.0.1,6000", "WHERE_CHUNK,7", "> CHUNK_LOCATION_UNKNOWN,7\\n",
            ]
        )
    }

    @Test("who sends line feeds is answered at once, and with one")
    func framed() {
        var tracker = ChunkDialogue()
        #expect(tracker.say("WHERE_CHUNK,1\r\n") == ["WHERE_CHUNK,1", "> CHUNK_LOCATION_UNKNOWN,1\\n"])
    }

    @Test("a client that registered without a hash is answered without the field, others with it")
    func hashless() {
        var tracker = ChunkDialogue()
        #expect(tracker.ask("LOCAL_CHUNKS,1,\(Self.hash),localhost,6000\n") == [])
        tracker.connect()
        #expect(
            tracker.ask("LOCAL_CHUNKS,2,localhost,6001\nWHERE_CHUNK,1\n") == ["> GET_CHUNK_FROM,1,127.0.0.1,6000\\n"]
        )
        tracker.connect()
        #expect(
            tracker.ask("WHERE_CHUNK,1\nWHERE_CHUNK,2\n")
                == ["> GET_CHUNK_FROM,1,\(Self.hash),127.0.0.1,6000\\n", "> GET_CHUNK_FROM,2,127.0.0.1,6001\\n"]
        )
        tracker.connect()
        #expect(
            tracker.ask("LOCAL_CHUNKS,3,\(Self.hash),localhost,6002\nWHERE_CHUNK,2\n")
                == ["> GET_CHUNK_FROM,2,,127.0.0.1,6001\\n"]
        )
    }

    @Test("nobody registers another's address, and nobody is sent to an address of the tracker's own machine")
    func addresses() {
        var tracker = ChunkDialogue(from: Self.lan)
        #expect(
            tracker.say("LOCAL_CHUNKS,1,10.0.0.6,6000\n") == [
                "LOCAL_CHUNKS,1,10.0.0.6,6000", "refused: foreignAddress",
            ]
        )
        #expect(tracker.say("LOCAL_CHUNKS,1,localhost,6000\n") == ["LOCAL_CHUNKS,1,localhost,6000"])
        tracker.connect()
        #expect(
            tracker.ask("LOCAL_CHUNKS,2,127.0.0.1,6001\nWHERE_CHUNK,1\n") == ["> GET_CHUNK_FROM,1,10.0.0.5,6000\\n"]
        )
        tracker.connect(from: Self.lan)
        #expect(tracker.ask("WHERE_CHUNK,2\n") == ["> CHUNK_LOCATION_UNKNOWN,2\\n"])
        tracker.connect(from: Self.publicly)
        #expect(tracker.ask("WHERE_CHUNK,1\n") == ["> CHUNK_LOCATION_UNKNOWN,1\\n"])
    }

    @Test("a registration ends ten minutes after the last word, and the connection with it")
    func silence() {
        var tracker = ChunkDialogue()
        #expect(tracker.say("LOCAL_CHUNKS,1,localhost,6000\n") == ["LOCAL_CHUNKS,1,localhost,6000"])
        #expect(tracker.wait(.seconds(599)) == [])
        #expect(tracker.say("WHERE_CHUNK,2\n").count == 2)
        #expect(tracker.wait(.seconds(599)) == [])
        tracker.table.expire(at: tracker.now)
        #expect(tracker.table.clientCount == 1)
        #expect(tracker.wait(.seconds(1)) == ["close"])
        tracker.table.expire(at: tracker.now)
        #expect(tracker.table.clientCount == 0)
    }

    @Test("what is not the protocol ends the connection; what came before it counts")
    func garbage() {
        var tracker = ChunkDialogue()
        #expect(
            tracker.say("WHERE_CHUNK,1\nGET / HTTP/1.1\r\n")
                == ["WHERE_CHUNK,1", "> CHUNK_LOCATION_UNKNOWN,1\\n", "close: unreadable"]
        )
        #expect(tracker.say("WHERE_CHUNK,1\n") == [])
        tracker.connect()
        #expect(tracker.say("WHERE_CHUNK," + String(repeating: "1", count: 300)) == ["close: unreadable"])
        tracker.connect()
        #expect(tracker.say("LOCAL_CHUNKS,1,loc") == [])
        #expect(tracker.wait(.milliseconds(50)) == [])
        #expect(tracker.wait(.seconds(10)) == ["close: unfinished"])
        tracker.connect()
        #expect(tracker.say("REQUEST_CHUNK,1\n") == ["REQUEST_CHUNK,1", "close: notHeldHere"])
    }
}
