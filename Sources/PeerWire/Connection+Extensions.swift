import Primitives

/// Messages of extensions (BEP 10).
extension Connection {
    /// Length prefix, id and extension id.
    private static let extendedHeaderByteCount = 6

    mutating func nextExtended(in bytes: RawSpan, length: Int) throws(WireError) -> Step {
        let header = Connection.extendedHeaderByteCount
        guard let code = bytes.byte(at: 5) else { return wait(for: header) }
        let local = LocalExtension(rawValue: code)
        guard code == 0 || local != nil else {
            return ignore(id: MessageID.extended.rawValue, headerByteCount: header, length: length, in: bytes)
        }
        guard length - 2 <= limits.extensionLength else { throw .extensionTooLong(length - 2) }
        let frame = Connection.prefixByteCount + length
        guard bytes.byteCount >= frame else { return wait(for: frame) }
        neededByteCount = Connection.prefixByteCount
        let body = bytes.extracting(header..<frame)
        switch local {
        case nil:
            let handshake = try ExtensionHandshake(body, limits: limits)
            remoteExtensions.merge(handshake)
            return (.extensionHandshake(handshake), frame)
        case .metadata:
            guard let message = try MetadataMessage.read(body, limits: limits) else {
                return (.ignored(id: MessageID.extended.rawValue), frame)
            }
            return (.metadata(message), frame)
        }
    }
}
