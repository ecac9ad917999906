package import Primitives

/// When a connection is given up, and when it has to say that it lives.
extension Connection {
    /// Checks the deadlines; `true` when a keep-alive is to be sent now.
    package mutating func advanced(to now: Instant) throws(WireError) -> Bool {
        if remote == nil {
            guard now < handshakeDeadline else { throw .handshakeTimedOut }
            return false
        }
        guard now < receivedAt + limits.idleTimeout else { throw .idle }
        guard now >= sentAt + limits.keepAliveInterval else { return false }
        sentAt = now
        return true
    }

    /// Says that bytes left for the other side, which puts the next keep-alive off.
    package mutating func sent(at now: Instant) { sentAt = now }

    /// When `advanced` has something to decide next.
    package var nextDeadline: Instant? {
        remote == nil ? handshakeDeadline : min(receivedAt + limits.idleTimeout, sentAt + limits.keepAliveInterval)
    }

    private var handshakeDeadline: Instant {
        guard !hasGreeted else { return openedAt + limits.handshakeTimeout }
        return openedAt + (role == .accepted ? limits.greetingTimeout : limits.answerTimeout)
    }
}
