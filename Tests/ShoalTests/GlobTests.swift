import Testing

@testable import Shoal

@Suite("Glob")
struct GlobTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let pattern: String
        let path: String
        let isMatch: Bool

        init(_ pattern: String, _ path: String, _ isMatch: Bool) {
            self.pattern = pattern
            self.path = path
            self.isMatch = isMatch
        }

        var testDescription: String { "\(pattern) \(isMatch ? "is" : "is not") \(path)" }
    }

    @Test(
        "patterns are those of the shell, and without a slash they are about names",
        arguments: [
            Case("a.txt", "a.txt", true), Case("a.txt", "b/a.txt", true), Case("a.txt", "b/aa.txt", false),
            Case("*.txt", "a.txt", true), Case("*.txt", "b/c/a.txt", true), Case("*.txt", "a.txt.gz", false),
            Case("b/*.txt", "b/a.txt", true), Case("b/*.txt", "b/c/a.txt", false), Case("b/*", "b", false),
            Case("*", "a/b", true), Case("?", "a", true), Case("?", "ab", false), Case("a?c/d", "a/c/d", false),
            Case("*a*b*", "xxaxxbxx", true), Case("*a*b*", "xxbxxaxx", false), Case("", "a", false), Case("", "", true),
            Case("größe/*", "größe/文件", true), Case("A*", "a", false),
        ]
    )
    func shell(_ glob: Case) { #expect(Glob(glob.pattern).matches(glob.path) == glob.isMatch) }

    @Test(
        "two stars cross folders, and before a slash they are whole folders",
        arguments: [
            Case("**", "a/b/c", true), Case("**/c", "a/b/c", true), Case("**/c", "c", true),
            Case("a/**", "a/b/c", true),
            Case("a/**/c", "a/c", true), Case("a/**/c", "a/b/b/c", true), Case("a/**/c", "b/a/c", false),
            Case("a/**/c", "a/xc", false), Case("**/c", "a/xc", false), Case("a**c", "a/b/c", true),
            Case("**/b*/*.t", "a/bb/c/b1/x.t", true), Case("**/b*/*.t", "a/cb/x.t", false),
        ]
    )
    func folders(_ glob: Case) { #expect(Glob(glob.pattern).matches(glob.path) == glob.isMatch) }

    @Test("a pattern full of stars does not take for ever", .timeLimit(.minutes(1)))
    func isNotExponential() {
        let pattern = String(repeating: "*a", count: 50) + "/**" + String(repeating: "*b", count: 50)
        #expect(!Glob(pattern).matches(String(repeating: "a", count: 2000) + "/" + String(repeating: "c", count: 2000)))
    }
}
