package import Primitives

extension SecureHandshake {
    /// Appends message 1, once.
    package mutating func start(into output: inout ByteWriter) throws(SecureFault) {
        guard stage == .idle else { return }
        var message = ByteWriter(capacity: 64)
        Hello.writeHeader(mode, to: &message)
        var noise = try HandshakeState(
            mode.pattern,
            as: .initiator,
            prologue: message.bytes.span.bytes,
            staticKey: identity.staticKey,
            ephemeralKey: ephemeralKey,
            sharedKeys: mode.sharedKeys
        )
        try noise.write(RawSpan(), into: &message)
        output.append(message.bytes)
        self.noise = consume noise
        stage = .answer
    }

    /// Finds message 2 behind its status and length; `nil` while bytes are missing.
    @_lifetime(copy bytes)
    mutating func answer(in bytes: RawSpan) throws(SecureFault) -> (message: RawSpan, consumed: Int)? {
        guard let first = bytes.byte(at: 0) else { return nil }
        guard first == 0 else {
            // Said at once: the two zeros behind a status tell nothing.
            guard let status = SecureStatus(rawValue: first) else { throw .notSecure }
            throw .status(status)
        }
        hasSpoken = true
        guard let message = try message(in: bytes, at: 1) else { return nil }
        return (message, 3 + message.byteCount)
    }
}
