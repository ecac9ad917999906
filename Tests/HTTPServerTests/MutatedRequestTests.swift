import HTTPServer
import Primitives
import TestSupport
import Testing

@Suite("HTTP server and requests with errors in them")
struct MutatedRequestTests {
    private static let request = """
        PUT /body?info_hash=%01%02&compact=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\
        Connection: close\r\nCookie: a=b; c=d\r\nTransfer: chunked\r\n\r\nabc
        """
    private static let scraps: [[UInt8]] = ["\r\n", "\0", ":", " ", "\t", "HTTP/1.0", "Expect: 100-continue\r\n", "%"]
        .map { Array($0.utf8) }

    /// A request with one to three bytes changed, left out, doubled, or scraps put in.
    private static func mutated(using random: inout SeededRandom) -> [UInt8] {
        var bytes = Array(request.utf8)
        for _ in 0...Int.random(in: 0..<3, using: &random) {
            let place = Int.random(in: bytes.indices, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(bytes[place], at: place)
            default: bytes.insert(contentsOf: scraps.randomElement(using: &random) ?? [], at: place)
            }
        }
        return bytes
    }

    @Test("are answered by the handler or in our own words, never with a page of the library", arguments: 1...4)
    func mutations(seed: UInt64) async throws {
        try await withHouse { _, house async throws in
            let address = house.value.address
            let (odd, statuses) = try await play {
                var random = SeededRandom(seed: seed)
                var odd: [String] = []
                var statuses: [Int: Int] = [:]
                for _ in 0..<500 {
                    let words = MutatedRequestTests.mutated(using: &random)
                    let connection = try RawConnection.dial(address)
                    connection.send(words)
                    connection.endSending()
                    var answer: [UInt8] = []
                    while let byte = connection.receive(1) { answer += byte }
                    let text = String(decoding: answer, as: UTF8.self)
                    if text.contains("<html") || text.contains("<HTML") {
                        odd.append(String(decoding: words, as: UTF8.self))
                    }
                    statuses[text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0, default: 0] += 1
                }
                return (odd, statuses)
            }
            #expect(odd == [])
            // Some are as good as the whole one, others are not, or one of the two ways would be tested alone.
            #expect((statuses[200] ?? 0) > 50)
            #expect((statuses[400] ?? 0) > 50)
        }
    }
}
