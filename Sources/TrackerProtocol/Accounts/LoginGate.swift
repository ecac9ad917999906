package import Primitives

/// Decides whether somebody's password is looked at now (hardening R4).
///
/// Hashing takes 64 MiB and a core for tens of milliseconds: that is what is protected, and passwords from being guessed.
///
///     asks ── admit ──▶ waiting or running ── ended(wrong) ──▶ counted against its host for a minute
///       │                                  └─ ended(right) ──▶ forgotten
///       └──▶ refused, and told when to come again
package struct LoginGate: Sendable {
    package enum Verdict: Hashable, Sendable {
        case admitted
        case refused(retryAfter: Duration)
    }

    package enum Outcome: Hashable, Sendable {
        case right
        case wrong
        /// The database failed, or the account was taken: says nothing of a password.
        case neither
    }

    package struct Limits: Hashable, Sendable {
        /// One that is hashed and four that wait (hardening R4).
        package var inHand = 5
        /// Wrong passwords of one host in a window.
        package var failuresPerHost = 5
        /// Wrong passwords in all in a window.
        package var failures = 20
        /// Of those, what only hosts may use up that have not failed for `memory`: some strangers who fail all the time do
        /// not keep everybody else out.
        package var reserved = 5
        package var window: Duration = .seconds(60)
        package var memory: Duration = .seconds(600)
        /// Accounts that a host may ask for in an hour: a class behind one address registers within it.
        package var registrationsPerHost = 30
        /// Accounts that are asked for in all in an hour.
        package var registrations = 1000

        package init() {}
    }

    private struct Mark {
        let host: IPAddress
        let time: Instant
    }

    private let limits: Limits
    /// At most `failures` of each window within `memory`.
    private var failures: [Mark] = []
    private var registrations: [Mark] = []
    private var inHand: [IPAddress] = []

    package init(limits: Limits = Limits()) { self.limits = limits }

    /// Somebody wants to log in. Whoever is admitted has `ended` exactly once.
    package mutating func admitLogin(from address: IPAddress, at now: Instant) -> Verdict {
        forget(at: now)
        let host = address.host
        guard inHand.count < limits.inHand else { return .refused(retryAfter: .seconds(1)) }
        let recent = failures.filter { now - $0.time < limits.window }
        // Whoever is in hand may fail yet.
        let own = recent.filter { $0.host == host }
        if own.count + inHand.count(where: { $0 == host }) >= limits.failuresPerHost {
            return .refused(retryAfter: wait(for: own, room: limits.failuresPerHost, at: now))
        }
        let isKnownToFail = failures.contains { $0.host == host }
        let room = isKnownToFail ? limits.failures - limits.reserved : limits.failures
        if recent.count + inHand.count >= room { return .refused(retryAfter: wait(for: recent, room: room, at: now)) }
        inHand.append(host)
        return .admitted
    }

    /// Somebody wants an account. Whoever is admitted has `ended` exactly once.
    package mutating func admitRegistration(from address: IPAddress, at now: Instant) -> Verdict {
        forget(at: now)
        let host = address.host
        guard inHand.count < limits.inHand else { return .refused(retryAfter: .seconds(1)) }
        // A test and a demo make hundreds on one host; nobody else has that address.
        if !address.isLoopback {
            let own = registrations.count { $0.host == host }
            guard own < limits.registrationsPerHost, registrations.count < limits.registrations else {
                return .refused(retryAfter: .seconds(600))
            }
            registrations.append(Mark(host: host, time: now))
        }
        inHand.append(host)
        return .admitted
    }

    /// What came of somebody who was admitted.
    package mutating func ended(_ outcome: Outcome, from address: IPAddress, at now: Instant) {
        if let index = inHand.firstIndex(of: address.host) { inHand.remove(at: index) }
        if outcome == .wrong { failures.append(Mark(host: address.host, time: now)) }
    }

    /// Who is hashed or waits.
    package var inHandCount: Int { inHand.count }

    private mutating func forget(at now: Instant) {
        failures.removeAll { now - $0.time >= limits.memory }
        registrations.removeAll { now - $0.time >= .seconds(3600) }
    }

    /// Until so many marks are old that there is room for one more; at least a second, in whole seconds.
    private func wait(for marks: [Mark], room: Int, at now: Instant) -> Duration {
        let index = marks.count - room
        guard marks.indices.contains(index) else { return .seconds(1) }
        let left = limits.window - (now - marks[index].time)
        return .seconds(max(1, Int64(left.inSeconds.rounded(.up))))
    }
}
