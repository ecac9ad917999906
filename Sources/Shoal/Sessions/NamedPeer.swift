import Cryptography

/// A peer as a person names it: `[sp1-KEY@]HOST:PORT`.
struct NamedPeer {
    /// What it has to prove, where the person says so.
    let key: Ed25519.PublicKey?
    /// `HOST:PORT`.
    let place: String

    init(_ text: String) {
        guard let at = text.firstIndex(of: "@"), let key = try? Ed25519.PublicKey(text: text[..<at]) else {
            (key, place) = (nil, text)
            return
        }
        (self.key, place) = (key, String(text[text.index(after: at)...]))
    }
}
