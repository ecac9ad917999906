import Primitives

/// A relative path that came from a stranger and cannot leave the folder it is put into (hardening F1, F2).
///
/// Names that could climb or break out are refused. Names that merely deceive the eye, or are not text, are mended: each
/// byte of an invalid or invisible character becomes `_XX`. The torrent stays usable and its bytes are not affected.
package struct SafePath: Sendable {
    /// Bytes in one component: what file systems take.
    package static let longestComponent = 255
    /// Components in a path.
    package static let deepest = 32
    /// Bytes in a path.
    package static let longest = 4096

    /// Why a name is refused.
    package enum Refusal: Error, Hashable, Sendable {
        case noComponents
        case emptyComponent
        case dotComponent
        case separator(UInt8)
        case control
        case componentLongerThan(Int)
        case deeperThan(Int)
        case longerThan(Int)
    }

    /// The components, joined by `/`, which none of them contains.
    package let text: String

    /// - Parameters:
    ///   - components: where the names lie in `bytes`, outermost first.
    ///   - root: the folder that the path lies in, or `nil`.
    package init(_ components: [Range<Int>], in bytes: RawSpan, under root: SafePath? = nil) throws(Refusal) {
        guard !components.isEmpty else { throw .noComponents }
        var text = root.map { Array($0.text.utf8) } ?? []
        let depth = root.map { $0.depth } ?? 0
        guard components.count <= SafePath.deepest - depth else { throw .deeperThan(SafePath.deepest) }
        for range in components {
            if !text.isEmpty { text.append(UInt8(ascii: "/")) }
            try SafePath.append(bytes.copy(range) ?? [], to: &text)
            guard text.count <= SafePath.longest else { throw .longerThan(SafePath.longest) }
        }
        self.text = String(decoding: text, as: UTF8.self)
    }

    /// A path from names that are text already.
    package init(_ components: [String], under root: SafePath? = nil) throws(Refusal) {
        var bytes: [UInt8] = []
        var ranges: [Range<Int>] = []
        for component in components {
            ranges.append(bytes.count..<bytes.count + component.utf8.count)
            bytes.append(contentsOf: component.utf8)
        }
        try self.init(ranges, in: bytes.span.bytes, under: root)
    }

    package var components: [String] { text.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) } }

    package var depth: Int { text.utf8.reduce(1) { $0 + ($1 == UInt8(ascii: "/") ? 1 : 0) } }

    /// What two paths have in common that a file system may take for the same one (hardening F3).
    ///
    /// Lower case, with separators that sort before every character, so that whatever lies in a folder follows the folder's
    /// own path. Normalisation is left to `String`: its `==` and `<` are those of the canonical composition, which is
    /// exactly what is wanted here, and nowhere else in this package.
    var folded: String {
        var text = text.lowercased()
        if depth > 1 { text = String(decoding: text.utf8.map { $0 == UInt8(ascii: "/") ? 1 : $0 }, as: UTF8.self) }
        return text
    }

    /// Checks one component and appends it, mended.
    private static func append(_ name: [UInt8], to text: inout [UInt8]) throws(Refusal) {
        guard !name.isEmpty else { throw .emptyComponent }
        guard name.count <= longestComponent else { throw .componentLongerThan(longestComponent) }
        guard name != [UInt8(ascii: ".")], name != [UInt8(ascii: "."), UInt8(ascii: ".")] else { throw .dotComponent }
        let start = text.count
        var parser = Unicode.UTF8.ForwardParser()
        var iterator = name.makeIterator()
        var index = 0
        reading: while true {
            switch parser.parseScalar(from: &iterator) {
            case .valid(let encoded):
                try append(Unicode.UTF8.decode(encoded), to: &text)
                index += encoded.count
            case .error(let length):
                for byte in name[index..<min(index + length, name.count)] { appendHex(byte, to: &text) }
                index += length
            case .emptyInput: break reading
            }
        }
        guard text.count - start <= longestComponent else { throw .componentLongerThan(longestComponent) }
    }

    private static func append(_ scalar: Unicode.Scalar, to text: inout [UInt8]) throws(Refusal) {
        switch scalar {
        case "/", "\\": throw .separator(UInt8(truncatingIfNeeded: scalar.value))
        case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}": throw .control
        default: break
        }
        let isVisible = DisplayText.isVisible(scalar)
        for byte in Unicode.UTF8.encode(scalar).map({ Array($0) }) ?? [] {
            if isVisible {
                text.append(byte)
            } else {
                appendHex(byte, to: &text)
            }
        }
    }

    private static func appendHex(_ byte: UInt8, to text: inout [UInt8]) {
        let digits: StaticString = "0123456789ABCDEF"
        text += [UInt8(ascii: "_"), digits.bytes[Int(byte >> 4)], digits.bytes[Int(byte & 15)]]
    }
}

extension SafePath: Hashable, CustomStringConvertible {
    /// Byte for byte: to Linux, two spellings of `é` are two files.
    package static func == (left: SafePath, right: SafePath) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

    package func hash(into hasher: inout Hasher) { hasher.combine(text) }

    package var description: String { text }
}

extension SafePath.Refusal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noComponents: "the path is empty"
        case .emptyComponent: "a name is empty"
        case .dotComponent: "a name is '.' or '..'"
        case .separator(let byte): "a name contains '\(Character(Unicode.Scalar(byte)))'"
        case .control: "a name contains a control character"
        case .componentLongerThan(let count): "a name is longer than \(count) bytes"
        case .deeperThan(let depth): "the path is deeper than \(depth) folders"
        case .longerThan(let count): "the path is longer than \(count) bytes"
        }
    }
}
