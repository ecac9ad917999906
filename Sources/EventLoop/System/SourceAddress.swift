import CLinux
import Glibc
package import Primitives

/// By which of its addresses this host speaks to another.
package enum SourceAddress {
    /// As its routes are now; nothing is sent. `nil` where no route leads there.
    package static func towards(_ address: IPAddress) -> IPAddress? {
        let other = SocketAddress(Endpoint(address, 9))
        let family = address.isV4 ? AF_INET : AF_INET6
        let descriptor = socket(family, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard other.withPointer({ connect(descriptor, $0, $1) }) == 0 else { return nil }
        var own = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // Safe: the kernel writes at most `length` bytes of the storage that is made to hold any address.
        return withUnsafeMutableBytes(of: &own) { bytes in
            guard let start = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                getsockname(descriptor, start, &length) == 0
            else { return nil }
            return SocketAddress.endpoint(in: UnsafeRawBufferPointer(bytes), count: Int(length))?.address
        }
    }
}
