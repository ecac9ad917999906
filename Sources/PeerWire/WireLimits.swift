/// Bounds on what one connection may send us, and when.
package struct WireLimits: Hashable, Sendable {
    /// The longest frame, length prefix included (hardening B1): a block of 1 MiB with its header.
    ///
    /// Nothing that we act on is that long; longer than this is a stream out of step or an attack, and shorter unknown messages are skipped unbuffered.
    package var frameLength = (1 << 20) + 13

    /// The longest block asked of us or sent to us (hardening B3): what the largest client requests ever seen ask for.
    package var blockLength = 131_072

    /// Pieces in a torrent (hardening F9); it bounds a bitfield that comes before the metadata to 256 KiB.
    package var pieceCount = 1 << 21

    /// `allowed fast` messages held until the metadata is known. BEP 6 sends 10; the rest is advice that we can do without.
    package var heldAllowedFast = 64

    /// An extension message after its two id bytes (hardening B7).
    package var extensionLength = 65_536

    /// Metadata that we fetch (hardening F9).
    package var metadataLength = 8 << 20

    /// Time for the whole handshake (hardening B9).
    package var handshakeTimeout: Duration = .seconds(10)

    /// Time from accepting until the 20 bytes that name the protocol are there: who has nothing to say frees the slot early.
    package var greetingTimeout: Duration = .seconds(5)

    /// Time from dialling until the first byte of the answer. A client that wants encryption stays silent; libtorrent would hang up after 10 s.
    package var answerTimeout: Duration = .seconds(4)

    /// Time without a whole message or payload after which the connection is closed (hardening B9). BEP 3 sends a keep-alive every two minutes.
    package var idleTimeout: Duration = .seconds(120)

    /// Time without sending after which a keep-alive is due; shorter than the other side's two minutes by a slow network's delay.
    package var keepAliveInterval: Duration = .seconds(90)

    package init() {}
}
