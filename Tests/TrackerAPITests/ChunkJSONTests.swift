import JSON
import Primitives
import Testing
import TrackerAPI
import TrackerProtocol

@Suite("Chunks in JSON")
struct ChunkJSONTests {
    static let hash = SHA1Digest(hex: "0123456789abcdef0123456789abcdef01234567")

    private func value(_ text: String) throws -> JSONValue { try JSONReader.read(Array(text.utf8)) }

    @Test("a report reads as it was written")
    func report() throws {
        let report = ChunkReport(
            name: "client \"1\"",
            port: 6000,
            chunks: [.init(chunk: 1, hash: Self.hash), .init(chunk: 3, hash: nil)]
        )
        let text = JSONWriter.text(report.json)
        #expect(
            text
                == #"{"name":"client \"1\"","port":6000,"chunks":[[1,"0123456789abcdef0123456789abcdef01234567"],[3,null]]}"#
        )
        #expect(ChunkReport(try value(text)) == report)
    }

    @Test(
        "what is no report is none",
        arguments: [
            "[]", #"{"name":"a","port":0,"chunks":[]}"#, #"{"name":"a","port":65536,"chunks":[]}"#,
            #"{"name":"a","port":-1,"chunks":[]}"#, #"{"name":1,"port":1,"chunks":[]}"#, #"{"name":"a","port":1}"#,
            #"{"name":"a","port":1,"chunks":[1]}"#, #"{"name":"a","port":1,"chunks":[[1]]}"#,
            #"{"name":"a","port":1,"chunks":[[1,"00"]]}"#, #"{"name":"a","port":1,"chunks":[["1",null]]}"#,
            #"{"name":"a","port":1,"chunks":[[1.5,null]]}"#,
        ]
    )
    func noReport(text: String) throws {
        #expect(ChunkReport(try value(text)) == nil)
    }

    @Test("a table reads as it was written, without holders at no address")
    func table() throws {
        let rows = [
            ChunkTable.Row(
                chunk: 2,
                groups: [
                    .init(
                        hash: Self.hash,
                        holders: [
                            .init(endpoint: Endpoint(.loopbackV4, 6000), name: "a"),
                            .init(endpoint: Endpoint(.v6(high: 0x2001_0db8 << 32, low: 1), 6001), name: nil),
                        ]
                    ), .init(hash: nil, holders: []),
                ]
            )
        ]
        #expect(ChunkRows.rows(try value(JSONWriter.text(ChunkRows.json(rows)))) == rows)
        let odd =
            #"{"chunks":[{"chunk":1,"groups":[{"sha1":7,"holders":[{"address":"x:1"},{"address":"1.2.3.4:0"},4]}]}]}"#
        #expect(ChunkRows.rows(try value(odd)) == [.init(chunk: 1, groups: [.init(hash: nil, holders: [])])])
        #expect(ChunkRows.rows(try value(#"{"chunks":{}}"#)) == nil)
    }
}
