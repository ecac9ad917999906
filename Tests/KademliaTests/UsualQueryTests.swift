import Primitives
import Testing

@testable import Kademlia

@Suite("Queries in their usual form")
struct UsualQueryTests {
    static let usual = [
        "d1:ad2:id20:\(querier)e1:q4:ping1:t2:aa1:y1:qe",
        "d1:ad2:id20:\(querier)e1:q4:ping2:roi1e1:t4:aaaa1:v4:LT011:y1:qe",
        "d1:ad2:id20:\(querier)6:target20:\(responder)e1:q9:find_node1:t2:aa1:y1:qe",
        "d1:ad2:id20:\(querier)6:target20:\(responder)4:wantl2:n42:n6ee1:q9:find_node1:t2:aa1:v4:UT\u{1}\u{2}1:y1:qe",
        "d1:ad2:id20:\(querier)9:info_hash20:\(responder)e1:q9:get_peers1:t2:aa1:y1:qe",
        "d1:ad2:id20:\(querier)9:info_hash20:\(responder)4:wantl2:n6ee1:q9:get_peers2:roi1e1:t8:12345678"
            + "1:v4:LT\u{1}\u{2}1:y1:qe",
        "d1:ad2:id20:\(querier)9:info_hash20:\(responder)e1:q9:find_node1:t20:012345678901234567891:y1:qe",
    ]

    static func whole(_ bytes: [UInt8]) -> Message? { try? Message(bytes.span.bytes, transactionBytes: 32) }
    static func quick(_ bytes: [UInt8]) -> Message? { Message(usual: bytes.span.bytes, transactionBytes: 32) }

    @Test("are read at once, to the same message", arguments: usual)
    func sameMessage(text: String) {
        let message = UsualQueryTests.quick(wire(text))
        #expect(message != nil)
        #expect(message == UsualQueryTests.whole(wire(text)))
    }

    @Test(
        "other forms are left to the whole reader",
        arguments: [
            "", "d1:ad2:id20:", "d1:ad2:id20:\(querier)e1:q4:ping1:t2:aa1:y1:q",
            "d1:ad2:id20:\(querier)e1:q4:ping1:t2:aa1:y1:qee", "d1:ad2:id20:\(querier)e1:q4:ping1:t02:aa1:y1:qe",
            "d1:ad2:id20:\(querier)e1:q4:ping1:t0:1:y1:qe",
            "d1:ad2:id20:\(querier)e1:q4:ping1:t33:"
                + "0123456789012345678901234567890121:y1:qe", "d1:rd2:id20:\(querier)e1:t2:aa1:y1:re",
            "d1:ad2:id20:\(querier)e1:q4:ping1:t99:aa1:y1:qe", "d1:ad2:id20:\(querier)e1:q4:ping1:y1:qe1:t2:aae",
        ]
    )
    func others(text: String) {
        #expect(UsualQueryTests.quick(wire(text)) == nil)
    }

    @Test("whatever is read at once, the whole reader reads alike", arguments: [1, 2, 3, 4] as [UInt64])
    func mutated(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var stillUsual = 0
        for round in 0..<20_000 {
            var bytes = wire(UsualQueryTests.usual[round % UsualQueryTests.usual.count])
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[index] = UInt8(ascii: "0") + UInt8.random(in: 0...9, using: &random)
                case 2: bytes.remove(at: index)
                default: bytes.insert(bytes[index], at: index)
                }
            }
            guard let message = UsualQueryTests.quick(bytes) else { continue }
            stillUsual += 1
            #expect(message == UsualQueryTests.whole(bytes))
        }
        #expect(stillUsual > 1000)
    }
}
