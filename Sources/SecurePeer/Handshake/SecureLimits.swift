import Primitives

/// Bounds on what a session and its handshake may cost us (secure-peer.md, §3).
package struct SecureLimits: Hashable, Sendable {
    /// The Noise part of messages 2 and 3: 96 bytes without payload, and three times what ours have.
    ///
    /// A stranger is not read further than this before we know whose bytes they are.
    package var messageByteCounts = 96...1024

    /// A client's name.
    package var clientByteCount = 32

    /// Keys of private swarms that a hello is tried with: each costs a stranger nothing and us a derivation of keys.
    package var swarmKeyCount = 16

    /// The text of a close record.
    package var closeTextByteCount = 128

    /// Time from accepting until the eight bytes that name the protocol are there.
    package var magicTimeout: Duration = .seconds(5)

    /// Time from the hello until the first byte of the answer: a client that waits for the rest of an MSE message is
    /// silent.
    package var answerTimeout: Duration = .seconds(4)

    /// Time for the whole handshake.
    package var handshakeTimeout: Duration = .seconds(10)

    /// Time from the first byte of a record to its last: a length that was tampered with waits for bytes that never
    /// come.
    package var recordTimeout: Duration = .seconds(30)

    /// Age at which a session is closed and made anew, with fresh ephemeral keys.
    package var sessionLifetime: Duration = .seconds(24 * 60 * 60)

    /// Records after which it is, long before their numbers run out.
    package var recordCount: UInt64 = 1 << 48

    package init() {}
}
