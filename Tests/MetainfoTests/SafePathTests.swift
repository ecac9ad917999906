import Metainfo
import Primitives
import Testing

/// The path that `names` make, or why not.
func path(_ names: [[UInt8]]) -> Result<String, SafePath.Refusal> {
    var bytes: [UInt8] = []
    var ranges: [Range<Int>] = []
    for name in names {
        ranges.append(bytes.count..<bytes.count + name.count)
        bytes += name
    }
    do throws(SafePath.Refusal) {
        return .success(try SafePath(ranges, in: bytes.span.bytes).text)
    } catch {
        return .failure(error)
    }
}

func path(_ names: String...) -> Result<String, SafePath.Refusal> { path(names.map { Array($0.utf8) }) }

@Suite("SafePath")
struct SafePathTests {
    @Test(
        "leaves ordinary names as they are",
        arguments: ["a", "...", "..a", "a b", "~", "-rf", "naïve.txt", "日本語", "CON", "e\u{301}", "😀", " ", "a:b"]
    )
    func keeps(name: String) {
        #expect(path(name, "x") == .success(name + "/x"))
    }

    @Test(
        "refuses names that climb, split or break out (F1, N41)",
        arguments: [
            ("", .emptyComponent), (".", .dotComponent), ("..", .dotComponent), ("../x", .separator(0x2f)),
            ("/etc/x", .separator(0x2f)), ("a/../../b", .separator(0x2f)), ("a\\b", .separator(0x5c)),
            ("a\0b", .control), ("a\nb", .control), ("\u{1b}[2J", .control), ("\u{7f}", .control),
            ("\u{85}", .control), ("\u{9b}2J", .control),
        ] as [(String, SafePath.Refusal)]
    )
    func refuses(name: String, refusal: SafePath.Refusal) {
        #expect(path("a", name) == .failure(refusal))
        #expect(path(name, "a") == .failure(refusal))
    }

    @Test(
        "mends what deceives the eye, byte by byte (F2)",
        arguments: [
            ("exe\u{202e}gpj", "exe_E2_80_AEgpj"), ("a\u{200b}b", "a_E2_80_8Bb"), ("\u{feff}a", "_EF_BB_BFa"),
            ("a\u{2066}b", "a_E2_81_A6b"), ("a\u{ad}b", "a_C2_ADb"), ("a\u{2028}b", "a_E2_80_A8b"),
            ("a\u{e0041}", "a_F3_A0_81_81"),
        ]
    )
    func mends(name: String, mended: String) {
        #expect(path(name) == .success(mended))
    }

    @Test(
        "mends what is not UTF-8, overlong dots and slashes among it (F2)",
        arguments: [
            ([0x61, 0xff, 0x62], "a_FFb"), ([0xc0, 0xae, 0xc0, 0xae], "_C0_AE_C0_AE"), ([0xc0, 0xaf], "_C0_AF"),
            ([0xe2, 0x80], "_E2_80"), ([0xed, 0xa0, 0x80], "_ED_A0_80"), ([0x80, 0x9b], "_80_9B"),
            ([0xf4, 0x90, 0x80, 0x80, 0x61], "_F4_90_80_80a"), ([0xe2, 0x41], "_E2A"),
        ] as [([UInt8], String)]
    )
    func mendsBytes(name: [UInt8], mended: String) {
        #expect(path([name]) == .success(mended))
    }

    @Test("takes 255 bytes in a name and no more, mended ones too")
    func limitsComponents() {
        let longest = String(repeating: "n", count: 255)
        #expect(path(longest) == .success(longest))
        #expect(path(longest + "n") == .failure(.componentLongerThan(255)))
        #expect(path(String(repeating: "n", count: 300)) == .failure(.componentLongerThan(255)))
        #expect(path([[UInt8](repeating: 0xff, count: 85)]) == .success(String(repeating: "_FF", count: 85)))
        #expect(path([[UInt8](repeating: 0xff, count: 86)]) == .failure(.componentLongerThan(255)))
    }

    @Test("takes 32 names and 4096 bytes in a path, with the torrent's own")
    func limitsPaths() throws {
        #expect(path([[UInt8]](repeating: [0x61], count: 33)) == .failure(.deeperThan(32)))
        let root = try SafePath(["root"])
        let names = [String](repeating: "a", count: 31)
        #expect(try SafePath(names, under: root).depth == 32)
        #expect(throws: SafePath.Refusal.deeperThan(32)) { try SafePath(names + ["a"], under: root) }
        let long = [UInt8](repeating: 0x61, count: 255)
        #expect(path([[UInt8]](repeating: long, count: 17)) == .failure(.longerThan(4096)))
        #expect(path([]) == .failure(.noComponents))
    }

    @Test("compares byte for byte and splits into names")
    func compares() throws {
        #expect(try SafePath(["\u{e9}"]) != SafePath(["e\u{301}"]))
        #expect(try SafePath(["a", "b"]).components == ["a", "b"])
    }
}
