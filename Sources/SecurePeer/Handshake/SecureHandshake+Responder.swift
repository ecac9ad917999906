import Primitives

/// The fourteen bytes before the first Noise message; both sides mix them in, so that nobody can change them unnoticed.
///
///     magic (8)   version   suite   mode   0   length of the Noise message (2)
enum Hello {
    static let headerByteCount = 14
    static let version: UInt8 = 1
    /// 25519_ChaChaPoly_SHA256. Number 2, with AES-256-GCM, is reserved.
    static let suite: UInt8 = 1

    static func writeHeader(_ mode: SessionMode, to writer: inout ByteWriter) {
        writer.append(Opening.magic)
        writer.append([version, suite, mode.byte, 0])
        writer.bigEndian(messageByteCount(mode: mode.byte))
    }

    /// An ephemeral key, and where a key is shared the tag of an empty payload.
    static func messageByteCount(mode: UInt8) -> UInt16 { mode == 0 ? 32 : 48 }
}

extension SecureHandshake {
    /// Reads message 1 and answers it.
    ///
    /// Each byte is judged as soon as it is there, in the order of the design. Nothing is computed with keys before the
    /// last is found right: a stranger's errors cost us nothing (hardening N23).
    ///
    /// - Returns: how many bytes were read: none while some are missing.
    mutating func readHello(_ bytes: RawSpan, into output: inout ByteWriter) throws(SecureFault) -> Int {
        switch Opening(bytes) {
        case .undecided: return 0
        case .plain, .unknown: throw .notSecure
        case .secure: hasSpoken = true
        }
        guard let version = bytes.byte(at: 8) else { return 0 }
        guard version == Hello.version else { throw refuse(.version, into: &output) }
        guard let suite = bytes.byte(at: 9) else { return 0 }
        guard suite == Hello.suite else { throw refuse(.suite, into: &output) }
        guard let mode = bytes.byte(at: 10) else { return 0 }
        guard mode == 0 ? welcome.acceptsOpen : mode == 1 && !welcome.swarmKeys.isEmpty else {
            throw refuse(.mode, into: &output)
        }
        guard let reserved = bytes.byte(at: 11) else { return 0 }
        guard reserved == 0 else { throw .malformedHello }
        guard let length = bytes.bigEndian(UInt16.self, at: 12) else { return 0 }
        guard length == Hello.messageByteCount(mode: mode) else { throw .malformedHello }
        guard !welcome.isBusy else { throw refuse(.busy, into: &output) }
        neededByteCount = Hello.headerByteCount + Int(length)
        guard bytes.byteCount >= neededByteCount else { return 0 }
        let consumed = neededByteCount
        try answer(bytes.extracting(0..<consumed), isPrivate: mode == 1, into: &output)
        return consumed
    }

    private func refuse(_ status: SecureStatus, into output: inout ByteWriter) -> SecureFault {
        output.append([status.rawValue, 0, 0])
        return .refused(status)
    }

    private mutating func answer(
        _ hello: RawSpan,
        isPrivate: Bool,
        into output: inout ByteWriter
    ) throws(SecureFault) {
        if isPrivate {
            guard let key = try firstFittingKey(hello) else { throw .noSwarmKeyFits }
            mode = .privateSwarm(key)
        } else {
            var state = try state(.xx, after: hello)
            _ = try state.read(hello.extracting(droppingFirst: Hello.headerByteCount))
            noise = consume state
        }
        var message = ByteWriter(capacity: 512)
        let payload = payload.bytes
        try noise?.write(payload.span.bytes, into: &message)
        output.byte(0)
        output.bigEndian(UInt16(truncatingIfNeeded: message.count))
        output.append(message.bytes)
        neededByteCount = 2
        stage = .proof
    }

    /// The key that a private hello was made with: the one with which its tag is right.
    private mutating func firstFittingKey(_ hello: RawSpan) throws(SecureFault) -> SwarmKey? {
        var state = try state(.xxWithSharedKey, after: hello)
        for key in welcome.swarmKeys.prefix(limits.swarmKeyCount) {
            do throws(SecureFault) {
                state.restart(sharedKeys: SessionMode.privateSwarm(key).sharedKeys)
                _ = try state.read(hello.extracting(droppingFirst: Hello.headerByteCount))
                noise = consume state
                return key
            } catch {
                guard error == .tampered else { throw error }
            }
        }
        return nil
    }

    private func state(_ pattern: HandshakePattern, after hello: RawSpan) throws(SecureFault) -> HandshakeState {
        try HandshakeState(
            pattern,
            as: .responder,
            prologue: hello.extracting(first: Hello.headerByteCount),
            staticKey: identity.staticKey,
            ephemeralKey: ephemeralKey
        )
    }

    /// Reads message 3. Whoever could make it is told what is wrong with what is in it, in the only record of the
    /// session.
    mutating func meetInitiator(
        _ message: RawSpan,
        _ unixSeconds: Int64,
        into output: inout ByteWriter
    ) throws(SecureFault) -> RemotePeer {
        let text = try read(message)
        do throws(SecureFault) {
            return try meet(text: text, unixSeconds)
        } catch {
            if let noise = noise.take() {
                var keys = noise.split()
                try keys.sealClose(error.closeReason, "", with: .responder, nonce: 0, into: &output)
            }
            throw error
        }
    }
}
