import CUV
package import Primitives

/// The addresses of this host's own network interfaces.
package enum InterfaceAddresses {
    /// As they are now; none where the system does not say.
    package static func current() -> [IPAddress] {
        var list: UnsafeMutablePointer<uv_interface_address_t>?
        var count: Int32 = 0
        guard uv_interface_addresses(&list, &count) == 0, let list else { return [] }
        defer { uv_free_interface_addresses(list, count) }
        return UnsafeBufferPointer(start: list, count: Int(count)).compactMap { interface in
            // Safe: the union holds a socket address of either family, and is as long as the longer one.
            withUnsafeBytes(of: interface.address) { SocketAddress.endpoint(in: $0, count: $0.count)?.address }
        }
    }
}
