import Primitives

/// What may stand behind an announce (BEP 41): `type` and, but for two of them, `length` and so many bytes.
enum UDPOptions {
    private static let end: UInt8 = 0
    private static let nothing: UInt8 = 1
    private static let urlData: UInt8 = 2

    /// The path and query of the announce URL, which long ones send in parts.
    ///
    /// - Returns: nothing where there is none; what was read until then where an option goes beyond the datagram.
    static func path(in datagram: RawSpan, from start: Int) -> [UInt8] {
        var path: [UInt8] = []
        var offset = start
        while let type = datagram.byte(at: offset), type != end {
            offset += 1
            if type == nothing { continue }
            guard let length = datagram.byte(at: offset) else { break }
            offset += 1
            guard let bytes = datagram.copy(offset..<offset + Int(length)) else { break }
            if type == urlData { path += bytes }
            offset += Int(length)
        }
        return path
    }
}
