package import Primitives

/// Which port a node asks for.
package enum PortChoice: Hashable, Sendable {
    /// That one or none; 0 is the same as `any`.
    case exactly(UInt16)
    /// Whatever is free.
    case any
    /// The first free one of the range, else any.
    case first(ClosedRange<UInt16>)

    /// BitTorrent's old ports, where one finds other clients too.
    package static let usual = PortChoice.first(6881...6999)
}

/// One port for both transports: connections come in where the DHT's datagrams do (BEP 5's `implied_port`).
package struct BoundPort {
    package let listener: StreamListener
    package let datagrams: DatagramSocket
    package let endpoint: Endpoint

    /// The kernel's choice for TCP may be taken for UDP; so many pairs busy in a row means that none is free.
    private static let attemptsForAny = 64

    /// Binds both sockets to the same port of `address`; a busy port fails with `addressInUse` naming the transport.
    package static func bind(
        loop: Loop,
        address: IPAddress,
        port: PortChoice,
        backlog: Int32 = 512
    ) throws(SocketError) -> BoundPort {
        try pair(address, port, backlog: backlog).opened(on: loop)
    }

    package func close() {
        listener.close()
        datagrams.close()
    }

    private struct Pair: ~Copyable {
        let listening: Descriptor
        let receiving: Descriptor

        consuming func opened(on loop: Loop) throws(SocketError) -> BoundPort {
            guard let endpoint = Descriptor.localEndpoint(of: listening.number) else { throw .closed }
            let listener = try StreamListener(loop: loop, listening: listening, handler: nil)
            do throws(SocketError) {
                let datagrams = try DatagramSocket(loop: loop, receiving: receiving, handler: nil)
                return BoundPort(listener: listener, datagrams: datagrams, endpoint: endpoint)
            } catch {
                listener.close()
                throw error
            }
        }
    }

    private static func pair(_ address: IPAddress, _ port: PortChoice, backlog: Int32) throws(SocketError) -> Pair {
        switch port {
        case .exactly(0), .any: return try pairAtAnyPort(address, backlog: backlog)
        case .exactly(let number): return try pair(Endpoint(address, number), backlog: backlog)
        case .first(let range):
            for number in range {
                do throws(SocketError) {
                    return try pair(Endpoint(address, number), backlog: backlog)
                } catch .addressInUse, .permissionDenied {
                    continue
                }
            }
            return try pairAtAnyPort(address, backlog: backlog)
        }
    }

    private static func pairAtAnyPort(_ address: IPAddress, backlog: Int32) throws(SocketError) -> Pair {
        var attempts = 0
        while true {
            attempts += 1
            do throws(SocketError) {
                return try pair(Endpoint(address, 0), backlog: backlog)
            } catch .addressInUse where attempts < attemptsForAny {
                continue
            }
        }
    }

    private static func pair(_ endpoint: Endpoint, backlog: Int32) throws(SocketError) -> Pair {
        let listening = try Descriptor.listening(at: endpoint, backlog: backlog)
        guard let chosen = Descriptor.localEndpoint(of: listening.number) else { throw .closed }
        return Pair(listening: listening, receiving: try Descriptor.receiving(at: chosen))
    }
}
