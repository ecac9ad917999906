package import Bencode

/// Why there is no secure session, or no longer one.
package enum SecureFault: Error, Hashable, Sendable {
    case handshakeTimedOut
    /// The other side does not speak SPS/1: its first byte is neither ours nor a status.
    case notSecure
    /// The responder does not want to talk to us, and says why.
    case status(SecureStatus)
    /// We do not want to talk to the initiator, and have said why.
    case refused(SecureStatus)
    /// A hello whose reserved byte is set, or whose length is not that of its mode: nothing is answered.
    case malformedHello
    /// None of our private swarms has the key that the hello was made with (hardening N29): nothing is answered.
    case noSwarmKeyFits
    /// A message of the handshake of a length that none has.
    case messageLength(Int)
    /// A public key that makes the same secret with every other (hardening N25).
    case weakPublicKey
    /// What arrived is not what was sent: changed, repeated, reordered, left out, or made with another key.
    case tampered
    case malformedPayload(PayloadFault)
    case certificate(CertificateFault)
    /// Our own key came back (hardening N28).
    case connectedToSelf
    /// A record of fewer than 17 bytes (hardening N33).
    case recordLength(Int)
    /// A type of record that does not exist.
    case recordType(UInt8)
    /// A close record without a reason, or with a text that is too long.
    case malformedClose
    /// A record is incomplete for too long.
    case stalled
    /// So many records were sent, or so much time has passed, that new keys are due: a close for reason 0, and a new
    /// session.
    case expired
    /// The other side closed the session.
    case closed(SecureCloseReason, String)
    /// The system has no more memory for secrets.
    case outOfMemory
}

/// What a responder answers instead of message 2.
package enum SecureStatus: UInt8, Hashable, Sendable {
    case version = 1
    case suite
    case mode
    case busy
}

/// Why one side closes a session.
package enum SecureCloseReason: UInt8, Hashable, Sendable {
    case normal = 0
    case protocolError
    case swarm
    case trust
    case certificate
    case duplicate
    case connectedToSelf
    case limit
    case downgrade
}

/// What is wrong with the payload of a handshake message.
package enum PayloadFault: Error, Hashable, Sendable {
    case bencode(BencodeError)
    /// A field that has to be there, by its key.
    case missing(String)
    /// A field with a value that it cannot have, by its key.
    case invalid(String)
}

extension SecureFault {
    /// What the other side is told, where there are keys to tell it with.
    package var closeReason: SecureCloseReason {
        switch self {
        case .certificate: .certificate
        case .connectedToSelf: .connectedToSelf
        case .expired: .normal
        case .stalled, .handshakeTimedOut, .outOfMemory: .limit
        case .closed(let reason, _): reason
        default: .protocolError
        }
    }
}

extension SecureFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .handshakeTimedOut: "handshake timeout"
        case .notSecure: "does not speak SPS/1"
        case .status(let status): "refused our hello: \(status)"
        case .refused(let status): "hello refused: \(status)"
        case .malformedHello: "malformed hello"
        case .noSwarmKeyFits: "hello for a private swarm that is none of ours"
        case .messageLength(let length): "handshake message of \(length) bytes"
        case .weakPublicKey: "weak public key"
        case .tampered: "not what was sent: changed on its way, or made with another key"
        case .malformedPayload(let fault): "handshake payload: \(fault)"
        case .certificate(let fault): "peer certificate: \(fault)"
        case .connectedToSelf: "connected to self"
        case .recordLength(let length): "record of \(length) bytes"
        case .recordType(let type): "record of unknown type \(type)"
        case .malformedClose: "malformed close record"
        case .stalled: "record not completed in time"
        case .expired: "session has lived out its keys"
        case .closed(let reason, let text): "closed by peer: \(reason)\(text.isEmpty ? "" : " (\(text))")"
        case .outOfMemory: "no memory for keys"
        }
    }
}

extension SecureStatus: CustomStringConvertible {
    package var description: String {
        switch self {
        case .version: "unsupported version"
        case .suite: "unsupported cipher suite"
        case .mode: "unsupported mode"
        case .busy: "busy"
        }
    }
}

extension SecureCloseReason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .normal: "normal"
        case .protocolError: "protocol error"
        case .swarm: "unknown swarm"
        case .trust: "not trusted"
        case .certificate: "certificate"
        case .duplicate: "duplicate"
        case .connectedToSelf: "connected to self"
        case .limit: "limit or idle"
        case .downgrade: "downgrade"
        }
    }
}

extension PayloadFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .bencode(let error): error.description
        case .missing(let key): "no \(key)"
        case .invalid(let key): "invalid \(key)"
        }
    }
}
