import Testing

/// Each line of the hardening lists for the parsers and the DHT has a test, and the test's title names the line.
@Suite("The hardening lists")
struct HardeningTests {
    /// P: parsers, D: the DHT, N: what is sent to provoke them. Lines of other parts of the program are not listed here.
    private static let lines =
        (1...8).map { "P\($0)" } + (1...19).map { "D\($0)" } + (4...13).map { "N\($0)" }

    /// The lines that titles of tests name in the brackets at their end, as in `(D1, N8)`.
    private static let named: Set<String> = Repository.tests.reduce(into: []) { named, file in
        for line in file.lines where line.contains(")\"") {
            guard let title = line.split(separator: ")\"").first, let opening = title.lastIndex(of: "(") else {
                continue
            }
            let words = title[title.index(after: opening)...].split(separator: ", ").map(String.init)
            named.formUnion(words.filter { lines.contains($0) })
        }
    }

    @Test("every line is the subject of a test", arguments: lines)
    func isTested(line: String) {
        let isNamed = HardeningTests.named.contains(line)
        #expect(isNamed)
    }
}
