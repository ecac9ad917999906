import Metainfo
import PeerWire
import Primitives
import TestSupport

/// What a peer may do instead of sharing.
enum Misdeed: String, CaseIterable, Sendable {
    case silence
    case hangsUpInTheHandshake
    case noise
    case twoGiBMessage
    case spareBitsInBitfield
    case bitfieldTooLong
    case havesOutside
    case metadataSizeOfAGigabyte
    case nestedExtension
    case blocksNobodyAskedFor
    case blockOutside
    case wrongData
    case halfABlock
    case rejects
    case chokesForEver
    case keepsAliveAndNothingElse
    case wrongInfoHash
}

/// A peer that breaks the rules in one way, played over a plain socket.
struct HostilePeer {
    let misdeed: Misdeed
    let layout: PieceLayout

    func play(_ wire: RawConnection) {
        if misdeed == .silence { return _ = wire.isClosedByPeer() }
        if misdeed == .noise { return flood(wire) }
        guard let theirs = wire.receive(Handshake.byteCount),
            let handshake = try? Handshake(theirs.span.bytes)
        else { return }
        if misdeed == .hangsUpInTheHandshake { return _ = wire.send([19] + Array("BitTor".utf8)) }
        var system = SystemRandomNumberGenerator()
        let id = UInt160.random(using: &system)
        let infoHash = misdeed == .wrongInfoHash ? InfoHash(.zero) : handshake.infoHash
        // Without BEP 10, so that it is asked at once: who has it may speak SPS/1, and is asked when it has said so.
        wire.write { Handshake(capabilities: .fast, infoHash: infoHash, peerID: PeerID(id)).write(to: &$0) }
        say(to: wire)
        answer(wire)
    }

    private func flood(_ wire: RawConnection) {
        var state: UInt64 = 99
        let noise = (0..<4096).map { _ -> UInt8 in
            state = state &* 6_364_136_223_846_793_005 &+ 1
            return UInt8(truncatingIfNeeded: state >> 40)
        }
        while wire.send(noise) {}
    }

    /// What it says unasked.
    private func say(to wire: RawConnection) {
        switch misdeed {
        case .twoGiBMessage: wire.send([0x7f, 0xff, 0xff, 0xff, 7])
        case .spareBitsInBitfield:
            let count = (layout.pieceCount + 7) / 8
            wire.send([0, 0, 0, UInt8(count + 1), 5] + [UInt8](repeating: 0xff, count: count))
        case .bitfieldTooLong:
            wire.send([0, 0, 1, 0, 5] + [UInt8](repeating: 0xff, count: 255))
        case .havesOutside: wire.send([0, 0, 0, 5, 4, 0xff, 0xff, 0xff, 0xff])
        case .metadataSizeOfAGigabyte: wire.extended("d1:md11:ut_metadatai1ee13:metadata_sizei1073741824ee")
        case .nestedExtension: wire.extended(String(repeating: "d1:a", count: 10_000))
        default:
            wire.write { MessageWriter.haveAll(to: &$0) }
            if misdeed != .chokesForEver { wire.write { MessageWriter.unchoke(to: &$0) } }
        }
    }

    /// What it answers to requests, until the other end has enough of it.
    private func answer(_ wire: RawConnection) {
        if misdeed == .blocksNobodyAskedFor { for _ in 0..<100 { guard wire.send(block(Block(0, 0))) else { return } } }
        if misdeed == .keepsAliveAndNothingElse { for _ in 0..<100 { wire.send([0, 0, 0, 0]) } }
        while let message = wire.message() {
            guard message.id == 6, let asked = message.block else { continue }
            switch misdeed {
            case .wrongData: wire.send(block(asked))
            case .blockOutside: wire.send(block(Block(piece: .max, begin: asked.begin, length: asked.length)))
            case .halfABlock: return _ = wire.send(Array(block(asked).prefix(8000)))
            case .rejects: wire.write { MessageWriter.reject(asked, to: &$0) }
            default: break
            }
        }
    }

    private func block(_ block: Block) -> [UInt8] {
        var writer = ByteWriter()
        MessageWriter.pieceHeader(block, to: &writer)
        return writer.bytes + [UInt8](repeating: 0x5a, count: Int(block.length))
    }
}

extension Block {
    fileprivate init(_ piece: UInt32, _ begin: UInt32) { self.init(piece: piece, begin: begin, length: 16_384) }
}

/// One message as it came.
struct RawMessage {
    let id: UInt8
    let body: [UInt8]

    /// The three fields of `request`, `cancel` and `reject`.
    var block: Block? {
        let bytes = body.span.bytes
        guard let piece = bytes.bigEndian(UInt32.self, at: 0), let begin = bytes.bigEndian(UInt32.self, at: 4),
            let length = bytes.bigEndian(UInt32.self, at: 8)
        else { return nil }
        return Block(piece: piece, begin: begin, length: length)
    }
}

extension RawConnection {
    func write(_ body: (inout ByteWriter) -> Void) {
        var writer = ByteWriter()
        body(&writer)
        send(writer.bytes)
    }

    /// The next message that is no keep-alive.
    func message() -> RawMessage? {
        while let prefix = receive(4), let length = prefix.span.bytes.bigEndian(UInt32.self, at: 0) {
            guard length > 0 else { continue }
            guard let bytes = receive(Int(length)) else { return nil }
            return RawMessage(id: bytes[0], body: Array(bytes.dropFirst()))
        }
        return nil
    }

    /// A message of BEP 10 under id 0: the extension handshake.
    func extended(_ dictionary: String, id: UInt8 = 0) {
        let body = Array(dictionary.utf8)
        write { writer in
            writer.bigEndian(UInt32(body.count + 2))
            writer.byte(20)
            writer.byte(id)
            writer.append(body)
        }
    }

    /// Dials a node for a torrent and takes its handshake; `nil` when it hangs up.
    static func greet(_ address: String, _ infoHash: String, id: UInt160 = .zero) throws -> (RawConnection, Handshake)?
    {
        let wire = try dial(address)
        guard let hash = InfoHash(hex: infoHash) else { return nil }
        wire.write { Handshake(infoHash: hash, peerID: PeerID(id)).write(to: &$0) }
        guard let bytes = wire.receive(Handshake.byteCount), let theirs = try Handshake(bytes.span.bytes) else {
            return nil
        }
        return (wire, theirs)
    }
}
