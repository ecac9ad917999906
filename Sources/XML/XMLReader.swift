import CExpat

/// Reads the small documents that devices of a local network send, with expat.
///
/// Attributes, comments and processing instructions are passed over.
package enum XMLReader {
    /// A Fritz!Box describes itself in 14 KiB, and no reply over HTTP is longer.
    package static let mostBytes = 64 << 10
    /// The description of a gateway is 11 deep (UPnP InternetGatewayDevice, 2.2).
    package static let mostDepth = 16
    /// A service has six, a device a dozen; a gateway has some ten of each.
    package static let mostElements = 2048
    /// The longest that means something is a URL.
    package static let mostTextBytes = 4 << 10

    /// Reads a whole document.
    /// - Returns: its elements in the order in which they begin; never none.
    package static func elements(in document: [UInt8]) throws(XMLError) -> [XMLElement] {
        guard document.count <= mostBytes else { throw .tooLong }
        // Devices that are otherwise right put a line break before the declaration, or a terminating zero behind the end.
        let start = document.firstIndex { !isBlank($0) } ?? 0
        let end = (document.lastIndex { $0 != 0 } ?? -1) + 1
        guard start < end else { throw .malformed }
        guard cexpat_is_installed() else { throw .expatMissing }
        guard let parser = unsafe XML_ParserCreate(nil) else { throw .malformed }
        defer { unsafe XML_ParserFree(parser) }
        let collector = ElementCollector(parser: unsafe parser)
        let isWellFormed = collector.parse(document[start..<end])
        if let fault = collector.fault { throw fault }
        guard isWellFormed else { throw .malformed }
        return collector.elements
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
}
