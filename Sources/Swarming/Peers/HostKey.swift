package import Primitives

/// What a ban or a memory of a peer is bound to: its address, or on loopback, where many nodes share one, its endpoint.
package enum HostKey: Hashable, Sendable {
    case address(IPAddress)
    case endpoint(Endpoint)

    package init(_ endpoint: Endpoint) {
        self = endpoint.address.isLoopback ? .endpoint(endpoint) : .address(endpoint.address)
    }
}
