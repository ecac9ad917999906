import Testing
@testable import shoal

/// Whether cameras read them is shown in Tests/EndToEndTests/test_identity.py, by a decoder that is not ours.
@Suite("QR codes")
struct QRCodeTests {
    static let text = "sp1-aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4j2ja"

    @Test("have the marks of ISO/IEC 18004: three squares, two dotted lines, nothing around")
    func marks() throws {
        let code = try #require(QRCode(QRCodeTests.text))
        // Version 4 holds up to 62 bytes at level M.
        #expect(code.width == 33)
        for (top, left) in [(0, 0), (0, 26), (26, 0)] {
            for row in 0..<7 {
                let isEdge = row == 0 || row == 6
                #expect(
                    (0..<7).allSatisfy {
                        code[top + row, left + $0] == (isEdge || $0 == 0 || $0 == 6 || square(row, $0))
                    }
                )
            }
        }
        for index in 8..<25 {
            #expect(code[6, index] == index.isMultiple(of: 2))
            #expect(code[index, 6] == index.isMultiple(of: 2))
        }
        #expect(!code[-1, 0] && !code[0, -1] && !code[33, 32] && !code[32, 33])
    }

    /// The dark middle of a finder pattern.
    private func square(_ row: Int, _ column: Int) -> Bool { (2...4).contains(row) && (2...4).contains(column) }

    @Test("are drawn two rows to a line, with four light modules around", arguments: [true, false])
    func lines(usesColor: Bool) throws {
        let code = try #require(QRCode(QRCodeTests.text))
        let lines = code.lines(usesColor: usesColor)
        #expect(lines.count == 21 && code.columns == 41)
        for (index, line) in lines.enumerated() {
            var line = line
            if usesColor {
                #expect(line.hasPrefix("\u{1B}[38;5;16;48;5;231m") && line.hasSuffix("\u{1B}[0m"))
                line = String(line.dropFirst(19).dropLast(4))
            }
            try #require(line.count == 41)
            for (column, character) in line.enumerated() {
                // Colours draw what is dark, a dark ground lets what is light be drawn.
                let drawn = (upper: "█▀".contains(character), lower: "█▄".contains(character))
                let (row, column) = (index * 2 - 4, column - 4)
                #expect(code[row, column] == (drawn.upper == usesColor))
                #expect(code[row + 1, column] == (drawn.lower == usesColor))
            }
        }
    }

    @Test("differ by their text, and there is none of a text that is too long")
    func limits() {
        #expect(QRCode("a") != QRCode("b"))
        #expect(QRCode(String(repeating: "a", count: 2331))?.width == 177)
        #expect(QRCode(String(repeating: "a", count: 2332)) == nil)
    }
}
