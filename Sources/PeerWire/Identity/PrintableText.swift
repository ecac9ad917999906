/// Text from a remote, made safe to print.
///
/// A name is shown on terminals and in logs: control characters could move the cursor or forge lines, direction marks and zero-width characters could
/// disguise what is read, and combining marks could pile up over other lines. None of them survive.
package enum PrintableText {
    /// What is left of `bytes` read as UTF-8, at most `limit` characters; `nil` where nothing is left.
    package static func from(_ bytes: some Collection<UInt8>, limit: Int = 64) -> String? {
        // Four bytes a scalar are enough for any text that fits the limit.
        let text = String(decoding: bytes.prefix(limit * 4), as: UTF8.self)
        var kept = String.UnicodeScalarView()
        for scalar in text.unicodeScalars where isHarmless(scalar) {
            kept.append(scalar)
            if kept.count == limit { break }
        }
        let result = String(kept)
        return result.allSatisfy(\.isWhitespace) ? nil : result
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .nonspacingMark, .enclosingMark: false
        default: true
        }
    }
}
