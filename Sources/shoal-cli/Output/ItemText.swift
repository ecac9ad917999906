import Metainfo
import Primitives

/// A bencoded value for a person: text as text, anything else in hexadecimal digits.
enum ItemText {
    /// A byte string.
    static func bencoded(_ bytes: [UInt8]) -> [UInt8] { Array("\(bytes.count):".utf8) + bytes }

    /// The bytes of a value that is one byte string; `nil` for a number, a list or a dictionary.
    static func string(in value: [UInt8]) -> [UInt8]? {
        guard let first = value.first, 48...57 ~= first, let colon = value.firstIndex(of: UInt8(ascii: ":")) else {
            return nil
        }
        return Array(value[(colon + 1)...])
    }

    /// The value as it is written to a terminal.
    static func shown(_ value: [UInt8]) -> String {
        let bytes = string(in: value) ?? value
        return text(bytes) ?? Hex.encode(bytes)
    }

    /// Bytes as text, where they are UTF-8 and nothing in them could move a cursor or hide.
    static func text(_ bytes: [UInt8]) -> String? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        let isClean = text.unicodeScalars.allSatisfy { $0 == "\n" || $0 == "\t" || DisplayText.isVisible($0) }
        return isClean ? text : nil
    }
}
