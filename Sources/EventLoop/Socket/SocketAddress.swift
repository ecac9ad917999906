package import Glibc
package import Primitives

/// An endpoint in the kernel's form.
///
/// `sockaddr_in`: family 0..<2 (own order), port 2..<4, address 4..<8. `sockaddr_in6`: family, port, flow 4..<8,
/// address 8..<24, scope 24..<28. Numbers in network order unless said.
package struct SocketAddress {
    private var storage = sockaddr_storage()
    private var length: socklen_t

    package init(_ endpoint: Endpoint) {
        length = SocketAddress.length(for: endpoint.address)
        // Safe: all stores end before byte 24 of the 128 of `sockaddr_storage`.
        withUnsafeMutableBytes(of: &storage) { bytes in
            bytes.storeBytes(of: sa_family_t(SocketAddress.family(of: endpoint.address)), as: sa_family_t.self)
            bytes.storeBytes(of: endpoint.port.bigEndian, toByteOffset: 2, as: UInt16.self)
            switch endpoint.address {
            case .v4(let bits): bytes.storeBytes(of: bits.bigEndian, toByteOffset: 4, as: UInt32.self)
            case .v6(let high, let low):
                bytes.storeBytes(of: high.bigEndian, toByteOffset: 8, as: UInt64.self)
                bytes.storeBytes(of: low.bigEndian, toByteOffset: 16, as: UInt64.self)
            }
        }
    }

    /// What `call` (`getsockname` and the like) fills in; `nil` if it fails or answers no IP address.
    static func read(
        _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> Endpoint? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = withUnsafeMutablePointer(to: &storage) { storage in
            // Safe: `sockaddr_storage` is made to be used as a `sockaddr`.
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, &length) }
        }
        guard code == 0 else { return nil }
        return withUnsafeBytes(of: &storage) { endpoint(in: $0, count: Int(length)) }
    }

    /// The endpoint in the first `count` bytes, `nil` for another family or too few bytes.
    package static func endpoint(in bytes: UnsafeRawBufferPointer, count: Int) -> Endpoint? {
        guard count >= 0 else { return nil }
        let span = UnsafeRawBufferPointer(rebasing: bytes.prefix(count)).bytes
        guard let family = span.bigEndian(sa_family_t.self, at: 0)?.byteSwapped,
            let port = span.bigEndian(UInt16.self, at: 2)
        else { return nil }
        switch Int32(family) {
        case AF_INET:
            guard let bits = span.bigEndian(UInt32.self, at: 4) else { return nil }
            return Endpoint(.v4(bits), port)
        case AF_INET6:
            guard let high = span.bigEndian(UInt64.self, at: 8), let low = span.bigEndian(UInt64.self, at: 16) else {
                return nil
            }
            return Endpoint(.v6(high: high, low: low), port)
        default: return nil
        }
    }

    package func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: storage) { storage in
            // Safe: `sockaddr_storage` is made to be used as a `sockaddr`.
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    static func family(of address: IPAddress) -> Int32 { address.isV4 ? AF_INET : AF_INET6 }

    private static func length(for address: IPAddress) -> socklen_t {
        socklen_t(address.isV4 ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size)
    }
}
