import Primitives

/// The form in which people hand keys of nodes to each other (secure-peer.md, §1).
///
///     sp1-aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4j2ja
///
/// `sp1-`, then 55 digits of base 32 for the key and the first two bytes of its BLAKE2b digest: of 65,536 slips of a
/// finger one goes unnoticed. One key has one text, so that texts can be compared and searched for.
extension Ed25519.PublicKey {
    package static let textPrefix = "sp1-"
    /// 34 bytes in digits of five bits.
    package static let textDigits = 55

    package var text: String { Ed25519.PublicKey.textPrefix + Base32.encode(bytes + check) }

    /// Reads the form above, and nothing around it.
    package init(text: some StringProtocol) throws(KeyTextFault) {
        let prefix = Ed25519.PublicKey.textPrefix
        guard text.utf8.starts(with: prefix.utf8) else { throw .prefix }
        let digits = text.utf8.dropFirst(prefix.utf8.count)
        guard digits.count == Ed25519.PublicKey.textDigits else { throw .length(digits.count) }
        guard digits.allSatisfy({ (97...122).contains($0) || (50...55).contains($0) }) else { throw .digit }
        // Spare bits that are set make a second text of the same key, as wrong as one with another checksum.
        guard let bytes = Base32.decode(String(decoding: digits, as: UTF8.self)),
            let key = Ed25519.PublicKey(bytes.span.bytes), key.check == bytes.suffix(2)
        else { throw .checksum }
        self = key
    }

    private var check: ArraySlice<UInt8> { BLAKE2b.hash(bytes.span.bytes, byteCount: 32).prefix(2) }
}

/// Why a text is not that of a key; each goes behind the text itself in a sentence.
package enum KeyTextFault: Error, Hashable, Sendable {
    case prefix
    /// So many bytes follow the prefix.
    case length(Int)
    case digit
    case checksum

    package var message: String {
        switch self {
        case .prefix: "does not begin with \(Ed25519.PublicKey.textPrefix)"
        case .length(let count):
            "has \(count) characters behind \(Ed25519.PublicKey.textPrefix), not \(Ed25519.PublicKey.textDigits)"
        case .digit: "has a character that is none of a-z and 2-7 (a key is written in lower case)"
        case .checksum: "has a slip in it: its last characters are not the checksum of the others"
        }
    }
}
