import Testing

/// Each line of the hardening lists for the parsers and the DHT has a test, and the test's title names the line.
@Suite("The hardening lists")
struct HardeningTests {
    /// P: parsers, D: the DHT, T: trackers, R: passwords, N: what is sent to provoke them and sessions. Lines of other parts of the
    /// program are not listed here.
    private static let lines =
        (1...8).map { "P\($0)" } + (1...19).map { "D\($0)" } + (1...14).map { "T\($0)" } + (1...38).map { "N\($0)" }
        + ["N47", "N48", "N50", "N53", "N54", "R3", "R4"]

    /// The lines that titles of tests name in the brackets at their end, as in `(D1, N8)`; the tests of the program as a
    /// whole are in Python.
    private static let named: Set<String> = testLines.reduce(into: []) { named, line in
        guard line.contains(")\""), let title = line.split(separator: ")\"").first,
            let opening = title.lastIndex(of: "(")
        else { return }
        let words = title[title.index(after: opening)...].split(separator: ", ").map(String.init)
        named.formUnion(words.filter { lines.contains($0) })
    }

    private static let testLines =
        Repository.tests.flatMap(\.lines)
        + Repository.files(under: "Tests").filter { $0.hasSuffix(".py") }.flatMap { path in
            Repository.text(of: path).split(separator: "\n")
        }

    @Test("every line is the subject of a test", arguments: lines)
    func isTested(line: String) {
        let isNamed = HardeningTests.named.contains(line)
        #expect(isNamed)
    }
}
