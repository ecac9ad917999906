import Glibc
import Primitives

/// An open socket descriptor that closes itself, until an object of the loop takes it over.
struct Descriptor: ~Copyable {
    let number: Int32

    init(number: Int32) {
        self.number = number
    }

    deinit {
        _ = Glibc.close(number)
    }

    /// Hands the descriptor over; the taker closes it.
    consuming func take() -> Int32 {
        let number = number
        discard self
        return number
    }

    // MARK: Opening

    /// A socket that does not block and is not inherited by child processes.
    static func open(_ transport: Transport, for address: IPAddress) throws(SocketError) -> Descriptor {
        let type = transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
        let flags = Int32(bitPattern: type.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let number = socket(SocketAddress.family(of: address), flags, 0)
        guard number >= 0 else { throw SocketError(errno: errno) }
        let descriptor = Descriptor(number: number)
        // Two sockets, one per family, may then share a port whatever `net.ipv6.bindv6only` says.
        if !address.isV4 { descriptor.set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, to: 1) }
        return descriptor
    }

    /// Listens at `endpoint`. SO_REUSEADDR lets a restarted node have its port back while old connections fade.
    static func listening(at endpoint: Endpoint, backlog: Int32) throws(SocketError) -> Descriptor {
        let descriptor = try open(.tcp, for: endpoint.address)
        descriptor.set(SOL_SOCKET, SO_REUSEADDR, to: 1)
        try descriptor.bind(to: endpoint, .tcp)
        guard listen(descriptor.number, backlog) == 0 else { throw SocketError(errno: errno, at: endpoint, .tcp) }
        return descriptor
    }

    /// Receives at `endpoint`. No SO_REUSEADDR: for UDP it would let another process share and steal the port.
    static func receiving(at endpoint: Endpoint) throws(SocketError) -> Descriptor {
        let descriptor = try open(.udp, for: endpoint.address)
        // A host may have several addresses. Where the kernel chooses, a lasting one serves a DHT better than one that
        // is thrown away every day for privacy's sake (BEP 32, source address selection).
        if !endpoint.address.isV4 {
            descriptor.set(Int32(IPPROTO_IPV6), addressPreferences, to: preferPublicSource)
        }
        try descriptor.bind(to: endpoint, .udp)
        return descriptor
    }

    /// `IPV6_ADDR_PREFERENCES` and `IPV6_PREFER_SRC_PUBLIC` (RFC 5014), which Glibc's headers lack.
    private static let addressPreferences: Int32 = 72
    private static let preferPublicSource: Int32 = 2

    borrowing func bind(to endpoint: Endpoint, _ transport: Transport) throws(SocketError) {
        let code = SocketAddress(endpoint).withPointer { Glibc.bind(number, $0, $1) }
        guard code == 0 else { throw SocketError(errno: errno, at: endpoint, transport) }
    }

    /// Best effort: an option that the kernel refuses leaves a socket that works less well.
    borrowing func set(_ level: Int32, _ option: Int32, to value: Int32) {
        Descriptor.set(number, level, option, to: value)
    }

    static func set(_ number: Int32, _ level: Int32, _ option: Int32, to value: Int32) {
        var value = value
        setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// The local end, `nil` for one that is closed.
    static func localEndpoint(of number: Int32) -> Endpoint? {
        SocketAddress.read { getsockname(number, $0, $1) }
    }

    /// Takes the error that the kernel keeps for the socket: 0 for none.
    static func takeError(of number: Int32) -> Int32 {
        var error: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(number, SOL_SOCKET, SO_ERROR, &error, &length) == 0 else { return errno }
        return error
    }
}
