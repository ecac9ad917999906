package import Primitives

extension InfoHash {
    /// Reads the ways people write an info-hash: 40 hexadecimal digits, or 32 digits in base 32 (BEP 9).
    package init?(text: some StringProtocol) {
        switch text.utf8.count {
        case 40: self.init(hex: text)
        case 32:
            guard let bytes = Base32.decode(text) else { return nil }
            self.init(bytes)
        default: return nil
        }
    }
}
