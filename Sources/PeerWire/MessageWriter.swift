package import Metainfo
package import Primitives

/// Writes each message that we send, length prefix included.
package enum MessageWriter {
    package static func handshake(_ handshake: Handshake, to writer: inout ByteWriter) { handshake.write(to: &writer) }

    package static func keepAlive(to writer: inout ByteWriter) { writer.bigEndian(UInt32(0)) }

    package static func choke(to writer: inout ByteWriter) { header(.choke, to: &writer) }
    package static func unchoke(to writer: inout ByteWriter) { header(.unchoke, to: &writer) }
    package static func interested(to writer: inout ByteWriter) { header(.interested, to: &writer) }
    package static func notInterested(to writer: inout ByteWriter) { header(.notInterested, to: &writer) }

    package static func have(_ piece: Int, to writer: inout ByteWriter) { advice(.have, piece, to: &writer) }

    package static func bitfield(_ bitfield: Bitfield, to writer: inout ByteWriter) {
        header(.bitfield, fieldByteCount: bitfield.byteCount, to: &writer)
        writer.append(bitfield.bytes)
    }

    /// BEP 6.
    package static func haveAll(to writer: inout ByteWriter) { header(.haveAll, to: &writer) }
    /// BEP 6.
    package static func haveNone(to writer: inout ByteWriter) { header(.haveNone, to: &writer) }

    /// Tells which pieces we have in the shortest way the other side understands; nothing at all for none without BEP 6.
    package static func announce(_ pieces: Bitfield, supportsFast: Bool, to writer: inout ByteWriter) {
        switch (supportsFast, pieces.isEmpty, pieces.isFull) {
        case (true, true, _): haveNone(to: &writer)
        case (true, _, true): haveAll(to: &writer)
        case (false, true, _): break
        default: bitfield(pieces, to: &writer)
        }
    }

    /// BEP 6.
    package static func suggest(_ piece: Int, to writer: inout ByteWriter) { advice(.suggest, piece, to: &writer) }
    /// BEP 6.
    package static func allowedFast(_ piece: Int, to writer: inout ByteWriter) {
        advice(.allowedFast, piece, to: &writer)
    }

    package static func request(_ block: Block, to writer: inout ByteWriter) { triple(.request, block, to: &writer) }
    package static func cancel(_ block: Block, to writer: inout ByteWriter) { triple(.cancel, block, to: &writer) }
    /// BEP 6.
    package static func reject(_ block: Block, to writer: inout ByteWriter) { triple(.reject, block, to: &writer) }

    /// The 13 bytes before the payload of a block.
    package static func pieceHeader(_ block: Block, to writer: inout ByteWriter) {
        header(.piece, fieldByteCount: 8 + Int(block.length), to: &writer)
        writer.bigEndian(block.piece)
        writer.bigEndian(block.begin)
    }

    /// Where our DHT node listens (BEP 5).
    package static func port(_ port: UInt16, to writer: inout ByteWriter) {
        header(.port, fieldByteCount: 2, to: &writer)
        writer.bigEndian(port)
    }

    /// BEP 10; to a peer that announced the extension protocol.
    package static func extensionHandshake(_ handshake: ExtensionHandshake, to writer: inout ByteWriter) {
        extended(0, handshake.encoded(), to: &writer)
    }

    /// BEP 9, under the id that the other side's extension handshake gave.
    package static func metadata(_ message: MetadataMessage, as id: UInt8, to writer: inout ByteWriter) {
        extended(id, message.encoded(), to: &writer)
    }

    private static func extended(_ id: UInt8, _ body: [UInt8], to writer: inout ByteWriter) {
        header(.extended, fieldByteCount: 1 + body.count, to: &writer)
        writer.byte(id)
        writer.append(body)
    }

    private static func header(_ id: MessageID, fieldByteCount: Int = 0, to writer: inout ByteWriter) {
        writer.bigEndian(UInt32(truncatingIfNeeded: fieldByteCount + 1))
        writer.byte(id.rawValue)
    }

    private static func advice(_ id: MessageID, _ piece: Int, to writer: inout ByteWriter) {
        header(id, fieldByteCount: 4, to: &writer)
        writer.bigEndian(UInt32(truncatingIfNeeded: piece))
    }

    private static func triple(_ id: MessageID, _ block: Block, to writer: inout ByteWriter) {
        header(id, fieldByteCount: 12, to: &writer)
        writer.bigEndian(block.piece)
        writer.bigEndian(block.begin)
        writer.bigEndian(block.length)
    }
}
