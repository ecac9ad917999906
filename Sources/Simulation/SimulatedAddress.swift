import Primitives

/// Where simulated hosts live: public addresses, each in a /24 of its own (hardening D3).
///
/// They differ in all the bits that BEP 42 makes identifiers of. It takes the CRC of 20 of them, which is linear: hosts
/// whose first bytes end alike would share half of the space, and those whose last bytes are alike would sit in heaps.
enum SimulatedAddress {
    /// Each range begins with four first bytes.
    private static let hosts: UInt32 = 20 >> 2
    private static let colluders: UInt32 = 120 >> 2
    private static let ghosts: UInt32 = 180 >> 2

    /// The address of a host, from 20.0.0.1 on.
    static func host(_ index: Int) -> IPAddress { address(hosts, index) }
    /// The address of a hostile node that is anywhere in the network, from 120.0.0.1 on.
    static func colluder(_ index: Int) -> IPAddress { address(colluders, index) }
    /// The address of a host that left before the beginning, from 180.0.0.1 on.
    static func ghost(_ index: Int) -> IPAddress { address(ghosts, index) }

    /// Which host lives there, if it is the address of one.
    static func index(of address: IPAddress) -> Int? {
        guard case .v4(let bits) = address, bits >> 26 >= hosts else { return nil }
        return Int((bits >> 26 - hosts) << 16 | bits >> 8 & 0xFFFF)
    }

    private static func address(_ first: UInt32, _ index: Int) -> IPAddress {
        let network = UInt32(truncatingIfNeeded: index)
        let (fourth, last) = ((network &* 0x9E37_79B1) >> 24).quotientAndRemainder(dividingBy: 64)
        return .v4((first + network >> 16) << 26 | fourth << 24 | (network & 0xFFFF) << 8 | last + 1)
    }
}
