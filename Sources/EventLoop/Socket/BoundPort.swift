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
        try choose(port) { number throws(SocketError) in
            try Pair.open(Endpoint(address, number), backlog: backlog)
        }.opened(on: loop)
    }

    /// Binds the same port of all IPv4 and of all IPv6 addresses.
    ///
    /// - Returns: two, or the first alone on a machine that has no IPv6.
    package static func bindEverywhere(
        loop: Loop,
        port: PortChoice,
        backlog: Int32 = 512
    ) throws(SocketError) -> [BoundPort] {
        let pairs = try choose(port) { number throws(SocketError) in
            try FamilyPairs.open(number, backlog: backlog)
        }
        return try pairs.opened(on: loop)
    }

    package func close() {
        listener.close()
        datagrams.close()
    }

    /// Tries one port after the other, as the choice allows.
    private static func choose<Sockets: ~Copyable>(
        _ port: PortChoice,
        _ open: (UInt16) throws(SocketError) -> Sockets
    ) throws(SocketError) -> Sockets {
        switch port {
        case .exactly(0), .any: return try chooseAny(open)
        case .exactly(let number): return try open(number)
        case .first(let range):
            for number in range {
                do throws(SocketError) {
                    return try open(number)
                } catch .addressInUse, .permissionDenied {
                    continue
                }
            }
            return try chooseAny(open)
        }
    }

    private static func chooseAny<Sockets: ~Copyable>(
        _ open: (UInt16) throws(SocketError) -> Sockets
    ) throws(SocketError) -> Sockets {
        var attempts = 0
        while true {
            attempts += 1
            do throws(SocketError) {
                return try open(0)
            } catch .addressInUse where attempts < attemptsForAny {
                continue
            }
        }
    }
}

/// Two sockets of one address and port.
private struct Pair: ~Copyable {
    let listening: Descriptor
    let receiving: Descriptor
    let endpoint: Endpoint

    static func open(_ endpoint: Endpoint, backlog: Int32) throws(SocketError) -> Pair {
        let listening = try Descriptor.listening(at: endpoint, backlog: backlog)
        guard let chosen = Descriptor.localEndpoint(of: listening.number) else { throw .closed }
        return Pair(listening: listening, receiving: try Descriptor.receiving(at: chosen), endpoint: chosen)
    }

    consuming func opened(on loop: Loop) throws(SocketError) -> BoundPort {
        let endpoint = endpoint
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

/// The sockets of both families on one port number; IPv6's may be missing.
private struct FamilyPairs: ~Copyable {
    let v4: Pair
    let v6: Pair?

    static func open(_ port: UInt16, backlog: Int32) throws(SocketError) -> FamilyPairs {
        let v4 = try Pair.open(Endpoint(.anyV4, port), backlog: backlog)
        do throws(SocketError) {
            let v6 = try Pair.open(Endpoint(.anyV6, v4.endpoint.port), backlog: backlog)
            return FamilyPairs(v4: v4, v6: v6)
        } catch .addressInUse(let endpoint, let transport) {
            throw .addressInUse(endpoint, transport)
        } catch {
            // IPv6 is switched off, or not built in.
            return FamilyPairs(v4: v4, v6: nil)
        }
    }

    consuming func opened(on loop: Loop) throws(SocketError) -> [BoundPort] {
        let first = try v4.opened(on: loop)
        guard let v6 else { return [first] }
        do throws(SocketError) {
            return [first, try v6.opened(on: loop)]
        } catch {
            first.close()
            throw error
        }
    }
}
