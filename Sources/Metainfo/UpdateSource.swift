package import Cryptography
import Primitives

/// Whose word says what the newest version of a torrent is: a mutable item of this key and salt (BEP 46).
package struct UpdateSource: Hashable, Sendable {
    package let key: Ed25519.PublicKey
    /// Tells the torrents of one publisher apart; empty for none.
    package let salt: [UInt8]

    /// - Parameters:
    ///   - salt: at most 64 bytes (BEP 44); `nil` comes back for a longer one.
    package init?(key: Ed25519.PublicKey, salt: [UInt8] = []) {
        guard salt.count <= UpdateSource.longestSalt else { return nil }
        self.key = key
        self.salt = salt
    }

    /// Bytes of a salt (BEP 44).
    package static let longestSalt = 64

    /// Reads the key from 64 hexadecimal digits.
    static func key(hex: some StringProtocol) -> Ed25519.PublicKey? {
        guard let bytes = Hex.decode(hex), bytes.count == Ed25519.PublicKey.byteCount else { return nil }
        return Ed25519.PublicKey(bytes.span.bytes)
    }

    /// The parameters of a magnet link.
    var parameters: String {
        let parameter = "xs=urn:btpk:\(key.hex)"
        return salt.isEmpty ? parameter : parameter + "&s=\(Hex.encode(salt))"
    }
}
