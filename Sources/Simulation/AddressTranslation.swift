package import Primitives

/// The box that a host shares its address with others behind: it lets in only who was sent something lately.
///
/// The strict kind ("address and port-dependent filtering" of RFC 4787), which is the common one in homes. Only what
/// goes out keeps a binding alive.
package struct AddressTranslation: Hashable, Sendable {
    /// RFC 4787 asks for at least two minutes; boxes in homes were measured with 30 s to 3 minutes and a median of about
    /// 90 s (Hätönen et al., An experimental study of home gateway characteristics, IMC 2010).
    package static let usualLifetime = Duration.seconds(90)

    private let lifetime: Duration
    private var sentAt: [Endpoint: Instant] = [:]
    /// When so many bindings are remembered, those that ended are looked for.
    private var sweepCount = 64

    package init(lifetime: Duration = AddressTranslation.usualLifetime) { self.lifetime = lifetime }

    package mutating func sent(to receiver: Endpoint, at now: Instant) {
        sentAt[receiver] = now
        guard sentAt.count >= sweepCount else { return }
        sentAt = sentAt.filter { now - $0.value <= lifetime }
        sweepCount = max(64, 2 * sentAt.count)
    }

    package func admits(from sender: Endpoint, at now: Instant) -> Bool {
        sentAt[sender].map { now - $0 <= lifetime } ?? false
    }
}
