import Primitives

/// Text from a stranger, made fit for a terminal and a log line.
package enum DisplayText {
    /// Longer remarks are cut.
    package static let longest = 4096

    /// The text in `bytes`, at most `longest` bytes of it: line breaks become spaces, and what could move a cursor, turn
    /// the reading direction or hide becomes U+FFFD.
    package static func clean(_ bytes: RawSpan) -> String {
        clean(String(decoding: bytes.copy(0..<min(bytes.byteCount, longest)) ?? [], as: UTF8.self))
    }

    /// The same for text that was decoded already.
    package static func clean(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(longest) {
            if scalar == "\n" || scalar == "\r" || scalar == "\t" {
                scalars.append(" ")
            } else {
                scalars.append(isVisible(scalar) ? scalar : "\u{fffd}")
            }
        }
        return String(scalars)
    }

    /// Whether a character stands for itself: not a control (Cc), not one that is invisible or turns the text (Cf: zero
    /// width, bidirectional, tags), and not a line of its own.
    package static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value >= 0x20 && scalar.value != 0x7f }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: return false
        default: return true
        }
    }
}
