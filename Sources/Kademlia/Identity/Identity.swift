import Primitives

/// Who we are in this network, and where.
struct Identity: Sendable {
    /// `nil` where the identifier was given and stays, which only tests want.
    let source: NodeIDSource?
    var external: ExternalAddress

    init(source: NodeIDSource?, address: IPAddress?, limits: SharedLimits) {
        self.source = source
        external = ExternalAddress(decided: address, limits: limits)
    }
}
