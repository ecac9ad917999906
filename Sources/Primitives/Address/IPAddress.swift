/// An IPv4 or IPv6 address as a number.
@usableFromInline
package enum IPAddress: Hashable, Sendable {
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)

    package static let anyV4 = IPAddress.v4(0)
    package static let anyV6 = IPAddress.v6(high: 0, low: 0)
    package static let loopbackV4 = IPAddress.v4(0x7f00_0001)

    /// Both families as one: an IPv4 address as the IPv6 address that maps it (RFC 4291, 2.5.5.2).
    @inlinable
    package var mapped: (high: UInt64, low: UInt64) {
        switch self {
        case .v4(let bits): (0, 0xffff_0000_0000 | UInt64(bits))
        case .v6(let high, let low): (high, low)
        }
    }

    /// The address that `mapped` stands for.
    @inlinable
    package init(mappedHigh high: UInt64, low: UInt64) {
        self =
            high == 0 && low >> 32 == 0xffff ? .v4(UInt32(truncatingIfNeeded: low)) : .v6(high: high, low: low)
    }

    @inlinable
    package var isV4: Bool {
        if case .v4 = self { true } else { false }
    }

    package var isUnspecified: Bool { self == .v4(0) || self == .v6(high: 0, low: 0) }

    @inlinable
    package var isLoopback: Bool {
        switch self {
        case .v4(let bits): bits >> 24 == 127
        case .v6(let high, let low): high == 0 && low == 1
        }
    }

    /// RFC 1918, 4193, 6598 and link-local.
    @inlinable
    package var isPrivate: Bool {
        switch self {
        case .v4(let bits):
            bits >> 24 == 10 || bits >> 20 == 0xac1 || bits >> 16 == 0xc0a8 || bits >> 16 == 0xa9fe
                || bits >> 22 == 0x191
        case .v6(let high, _): high >> 57 == 0x7e || high >> 54 == 0x3fa
        }
    }

    /// An address that no single host has, or none that we could send to: 0/8, multicast, 240/4, and of IPv6 all but the
    /// loopback, `fc00::/7` and what `isGlobalUnicast` allows.
    ///
    /// That leaves out link-local addresses, which are nothing without a zone, and those that only wrap an IPv4 address
    /// (`::ffff:0:0/96`, `64:ff9b::/96`), through which a remote host could make us send into our own network.
    @inlinable
    package var isReserved: Bool {
        switch self {
        case .v4(let bits): bits >> 24 == 0 || bits >> 28 >= 0xe
        case .v6(let high, _): !isLoopback && high >> 57 != 0x7e && !IPAddress.isGlobalUnicast(high)
        }
    }

    /// `2000::/3`, all that is given out (RFC 4291), without the dead tunnels Teredo (`2001::/32`) and 6to4
    /// (`2002::/16`): their addresses wrap an IPv4 one, and each owner of one has 65 536 networks. Documentation
    /// addresses stay, as those of IPv4 do: they lead nowhere, and harm nobody.
    @inlinable
    static func isGlobalUnicast(_ high: UInt64) -> Bool {
        high >> 61 == 1 && high >> 48 != 0x2002 && high >> 32 != 0x2001_0000
    }

    /// Reachable across the internet, as far as the number tells.
    @inlinable
    package var isPublic: Bool { !isLoopback && !isPrivate && !isReserved }

    /// Whether a host at `self` can be expected to reach `other`, and may therefore tell us of it or be told.
    ///
    /// A node on the internet must not make us scan our own network, nor learn what is in it (hardening D2).
    package func mayName(_ other: IPAddress) -> Bool {
        if other.isReserved { return false }
        if isLoopback { return true }
        if isPrivate { return !other.isLoopback }
        return other.isPublic
    }

    /// What one host may have all to itself: its IPv4 address, but the /64 of its IPv6 address, in which it may take any
    /// (RFC 8981).
    package var host: IPAddress { isV4 || isLoopback ? self : network }

    /// The network that one owner usually holds as a whole: the /24 (IPv4) or the /64 (IPv6).
    package var network: IPAddress {
        switch self {
        case .v4(let bits): .v4(bits & 0xffff_ff00)
        case .v6(let high, _): .v6(high: high, low: 0)
        }
    }
}

extension IPAddress: CustomStringConvertible {
    @usableFromInline package var description: String {
        switch self {
        case .v4(let bits): "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
        case .v6(let high, let low): IPAddress.text(high: high, low: low)
        }
    }

    /// RFC 5952: lower case, the longest run of zero groups (two at least, the first of equals) as `::`.
    private static func text(high: UInt64, low: UInt64) -> String {
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> (48 - 16 * UInt64($0 % 4))) }
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(best.count, 1) { best = start..<end }
            start = max(end, start + 1)
        }
        func joined(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !best.isEmpty else { return joined(groups[...]) }
        return joined(groups[..<best.lowerBound]) + "::" + joined(groups[best.upperBound...])
    }

    /// Reads the usual text form of an IPv4 or IPv6 address (without brackets or zone).
    package init?(_ text: some StringProtocol) {
        if text.utf8.contains(UInt8(ascii: ":")) {
            self.init(v6: String(text))
        } else {
            self.init(v4: String(text))
        }
    }

    private init?(v4 text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ 48...57 ~= $0 }),
                part == "0" || part.utf8.first != 48, let byte = UInt8(part)
            else { return nil }
            bits = bits << 8 | UInt32(byte)
        }
        self = .v4(bits)
    }

    private init?(v6 text: String) {
        let halves = text.split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
        guard halves.count <= 2 else { return nil }
        guard let front = IPAddress.groups(String(halves[0])) else { return nil }
        var groups = front
        if halves.count == 2 {
            guard let back = IPAddress.groups(String(halves[1])), front.count + back.count < 8 else { return nil }
            groups += [UInt16](repeating: 0, count: 8 - front.count - back.count) + back
        }
        guard groups.count == 8 else { return nil }
        let high = groups[..<4].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
        let low = groups[4...].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
        self = .v6(high: high, low: low)
    }

    private static func groups(_ text: String) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        var groups: [UInt16] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, part.contains("."), case .v4(let bits)? = IPAddress(v4: String(part)) {
                groups += [UInt16(truncatingIfNeeded: bits >> 16), UInt16(truncatingIfNeeded: bits)]
                continue
            }
            guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy({ Hex.value(of: $0) != nil }),
                let group = UInt16(part, radix: 16)
            else { return nil }
            groups.append(group)
        }
        return groups
    }
}
