import Cryptography
import Primitives

/// Who we are in this network, and where.
struct Identity: Sendable {
    /// `nil` where the identifier was given and stays, which only tests want.
    let source: NodeIDSource?
    /// What it proves itself and signs its records by; `nil` where others made its identifier.
    let key: Ed25519.SigningKey?
    var external: ExternalAddress

    init(source: NodeIDSource?, key: Ed25519.SigningKey? = nil, address: IPAddress?, limits: SharedLimits) {
        self.source = source
        self.key = key
        external = ExternalAddress(decided: address, limits: limits)
    }
}
