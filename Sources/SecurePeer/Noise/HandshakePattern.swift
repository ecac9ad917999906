/// Who sends what in which message (Noise, revision 34, sections 7 and 9).
struct HandshakePattern: Sendable {
    enum Token: Hashable, Sendable {
        /// A public key: an ephemeral one, or the one that lasts.
        case e, s
        /// An agreement: the first letter is the initiator's key, the second the responder's.
        case ee, es, se
        /// A key that both parties have already.
        case psk
    }

    let protocolName: StaticString
    /// The initiator sends the first message, and then it is the other's turn each time.
    let messages: [[Token]]

    /// Whether ephemeral keys are mixed in as keys too, so that no key is ever used with one nonce twice (section 9.2).
    var hasSharedKey: Bool { messages.contains { $0.contains(.psk) } }

    /// Both parties send the other the key that lasts, and prove that they have it.
    static let xx = HandshakePattern(
        protocolName: "Noise_XX_25519_ChaChaPoly_SHA256",
        messages: [[.e], [.e, .ee, .s, .es], [.s, .se]]
    )

    /// As `xx` among those who share a key: nobody else gets an answer to the first message, or reads any.
    static let xxWithSharedKey = HandshakePattern(
        protocolName: "Noise_XXpsk0+psk3_25519_ChaChaPoly_SHA256",
        messages: [[.psk, .e], [.e, .ee, .s, .es], [.s, .se, .psk]]
    )
}
