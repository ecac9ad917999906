package import Primitives

/// Which client a peer id says it belongs to (BEP 20).
extension PeerID {
    /// A name and version, or the printable beginning of an id in no known style. Safe to print.
    package var clientName: String {
        let bytes = self.bytes
        return PeerID.azureusName(bytes) ?? PeerID.dashedName(bytes) ?? PeerID.fallbackName(bytes)
    }

    /// `-LT2100-` and twelve random bytes.
    private static func azureusName(_ bytes: [UInt8]) -> String? {
        guard bytes[0] == dash, bytes[7] == dash,
            bytes[1...2].allSatisfy({ isLetterOrDigit($0) || $0 == UInt8(ascii: "~") }),
            bytes[3...6].allSatisfy(isLetterOrDigit)
        else { return nil }
        let code = String(decoding: bytes[1...2], as: UTF8.self)
        return "\(azureusClients[code] ?? code) \(version(bytes[3...6]))"
    }

    /// Four digits to a dotted version. A letter in the last place names a kind of build, elsewhere it counts on from nine.
    private static func version(_ digits: ArraySlice<UInt8>) -> String {
        var numbers = digits.map { digit in
            switch digit {
            case 48...57: Int(digit) - 48
            case 65...90: Int(digit) - 55
            default: Int(digit) - 87
            }
        }
        if let last = digits.last, !(48...57).contains(last) { numbers.removeLast() }
        while numbers.count > 2, numbers.last == 0 { numbers.removeLast() }
        return numbers.map(String.init).joined(separator: ".")
    }

    /// `M7-10-5--` (mainline, Queen Bee) and `A2-1-36-0-` (aria2).
    private static func dashedName(_ bytes: [UInt8]) -> String? {
        let client: String
        let first: Int
        switch (bytes[0], bytes[1]) {
        case (UInt8(ascii: "A"), UInt8(ascii: "2")) where bytes[2] == dash: (client, first) = ("aria2", 3)
        case (UInt8(ascii: "M"), 48...57): (client, first) = ("BitTorrent", 1)
        case (UInt8(ascii: "Q"), 48...57): (client, first) = ("Queen Bee", 1)
        default: return nil
        }
        var numbers: [String] = []
        var index = first
        while numbers.count < 3, index < bytes.count {
            let digits = bytes[index...].prefix { (48...57).contains($0) }
            guard !digits.isEmpty, digits.count <= 3, digits.endIndex < bytes.count, bytes[digits.endIndex] == dash
            else { break }
            numbers.append(String(decoding: digits, as: UTF8.self))
            index = digits.endIndex + 1
        }
        return numbers.count < 2 ? nil : "\(client) \(numbers.joined(separator: "."))"
    }

    /// The letters, digits and a few marks that the id begins with: most styles keep their random bytes for the end.
    private static func fallbackName(_ bytes: [UInt8]) -> String {
        let name = bytes.prefix(8).prefix { isLetterOrDigit($0) || $0 == dash || $0 == UInt8(ascii: ".") }
        return name.count < 3 ? "unknown" : "unknown (\(String(decoding: name, as: UTF8.self)))"
    }

    private static let dash = UInt8(ascii: "-")

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        default: false
        }
    }

    /// The codes of BEP 20 that are still met, and later ones.
    private static let azureusClients = [
        "AZ": "Vuze", "BC": "BitComet", "BI": "BiglyBT", "BT": "BitTorrent", "DE": "Deluge",
        "FD": "Free Download Manager",
        "FG": "FlashGet", "FL": "Folx", "FW": "FrostWire", "FX": "Freebox", "HL": "Halite",
        "KG": "KGet", "KT": "KTorrent", "LT": "libtorrent", "lt": "rTorrent", "LW": "LimeWire", "MG": "MediaGet",
        "MO": "MonoTorrent", "qB": "qBittorrent", "QD": "QQDownload", "SD": "Xunlei",
        "sw": "shoal", "SZ": "Shareaza", "TL": "Tribler", "TR": "Transmission",
        "TT": "TuoTu", "TX": "Tixati", "UM": "µTorrent for Mac", "UT": "µTorrent", "UW": "µTorrent Web",
        "WD": "WebTorrent Desktop", "WT": "BitLet", "WW": "WebTorrent", "XL": "Xunlei", "ZT": "ZipTorrent",
    ]
}
