import CQREncode

/// A text as a QR code (ISO/IEC 18004), for the camera of a telephone; by libqrencode.
struct QRCode: Hashable, Sendable {
    /// Modules in a row, and rows.
    let width: Int
    private let isDark: [Bool]

    /// Version 40, the largest there is.
    private static let mostModules = 177 * 177
    /// Light modules around the code, without which no reader finds it.
    static let quietZone = 4

    /// `nil` for a text that is too long: some 2,300 bytes.
    init?(_ text: String) {
        var modules = [UInt8](repeating: 0, count: QRCode.mostModules)
        let width = Int(cqrencode_modules(text, &modules, Int32(modules.count)))
        guard width > 0 else { return nil }
        self.width = width
        isDark = modules.prefix(width * width).map { $0 == 1 }
    }

    /// Whether a module is dark; those outside are light.
    subscript(row: Int, column: Int) -> Bool {
        guard (0..<width).contains(row), (0..<width).contains(column) else { return false }
        return isDark[row * width + column]
    }

    /// Columns that it takes on a terminal.
    var columns: Int { width + 2 * QRCode.quietZone }

    /// Lines for a terminal: two rows of modules each, because a character is twice as high as wide.
    ///
    /// - Parameter usesColor: dark on light by colours of its own, on whatever ground. Without, light modules are drawn,
    ///   as fits a dark ground; on a light one the code is inverted, which most readers, but not all, take.
    func lines(usesColor: Bool) -> [String] {
        let rows = stride(from: -QRCode.quietZone, to: width + QRCode.quietZone, by: 2)
        return rows.map { row in
            let text = (-QRCode.quietZone..<width + QRCode.quietZone).reduce(into: "") { text, column in
                let (upper, lower) = (self[row, column], self[row + 1, column])
                text += usesColor ? QRCode.block(upper, lower) : QRCode.block(!upper, !lower)
            }
            return usesColor ? Paint.blackOnWhite(text) : text
        }
    }

    /// A character whose halves are drawn or left.
    private static func block(_ upper: Bool, _ lower: Bool) -> String {
        switch (upper, lower) {
        case (true, true): "█"
        case (true, false): "▀"
        case (false, true): "▄"
        case (false, false): " "
        }
    }
}
