package import Primitives

/// The proxies that are believed when they say whose request it is that they hand on, in `X-Forwarded-For`.
///
/// This machine is always among them: whoever can connect from loopback is inside already. Anybody else could claim any
/// address, and have others dial it.
package struct TrustedProxies: Hashable, Sendable {
    private let addresses: Set<IPAddress>

    /// - Parameter addresses: proxies on other machines.
    package init(_ addresses: [IPAddress] = []) {
        self.addresses = Set(addresses)
    }

    func trusts(_ address: IPAddress) -> Bool { address.isLoopback || addresses.contains(address) }

    /// Whose request it is: the sender's, or of whom the last proxy in front of us that is believed took it.
    ///
    /// Each proxy writes the address that it sees behind what it was sent, so what a client made up stands to the left of
    /// the truth.
    ///
    /// - Returns: `nil` where a proxy that is believed names no address.
    func client(of head: RequestHead, from sender: Endpoint) -> Endpoint? {
        guard trusts(sender.address), !head.forwardedFor.isEmpty else { return sender }
        var client = sender
        for element in head.forwardedFor.split(separator: UInt8(ascii: ",")).reversed() {
            guard let address = TrustedProxies.address(in: element) else { return nil }
            client.address = address
            guard trusts(address) else { break }
        }
        return client
    }

    /// An address with or without a port, and with the spaces of a list around it.
    private static func address(in element: ArraySlice<UInt8>) -> IPAddress? {
        let isSpace: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        let start = element.drop(while: isSpace)
        guard let last = start.lastIndex(where: { !isSpace($0) }) else { return nil }
        let text = String(decoding: start[...last], as: UTF8.self)
        if let address = IPAddress(text) ?? Endpoint(text)?.address { return address }
        guard text.hasPrefix("["), text.hasSuffix("]") else { return nil }
        return IPAddress(text.dropFirst().dropLast())
    }
}
