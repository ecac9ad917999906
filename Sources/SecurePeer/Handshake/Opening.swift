import Primitives

/// What an accepted connection speaks, by its first bytes.
package enum Opening: Hashable, Sendable {
    /// Too few bytes to tell: so far they fit one of the two.
    case undecided
    /// BitTorrent's own handshake (BEP 3).
    case plain
    case secure
    /// Neither: an MSE first message, or another protocol. To be closed at once, for a client that tries MSE first
    /// comes back in plain when it is, and waits for 96 bytes of answer until then (hardening N21).
    case unknown

    /// The eight bytes that a hello begins with.
    static let magic: StaticString = "\u{14}SecPeer"
    private static let greeting: StaticString = "\u{13}BitTorrent protocol"

    /// - Parameter bytes: all that has arrived.
    package init(_ bytes: RawSpan) {
        let first = bytes.byte(at: 0)
        let text = first == 0x14 ? Opening.magic : Opening.greeting
        let length = min(bytes.byteCount, text.utf8CodeUnitCount)
        guard Opening.begins(text, with: bytes.extracting(0..<length)) else {
            self = .unknown
            return
        }
        guard length == text.utf8CodeUnitCount else {
            self = .undecided
            return
        }
        self = first == 0x14 ? .secure : .plain
    }

    private static func begins(_ text: StaticString, with bytes: RawSpan) -> Bool {
        let expected = text.bytes
        return (0..<bytes.byteCount).allSatisfy { bytes.byte(at: $0) == expected[$0] }
    }
}
