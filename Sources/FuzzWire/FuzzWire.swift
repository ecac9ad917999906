import Metainfo
import PeerWire
import Primitives

/// libFuzzer's entry: two bytes of settings, then what the other side of a connection sends.
///
/// The first byte chooses the role, when the layout is known and whether the handshake is given; the second the size of the chunks. A broken promise of
/// `Connection` ends the process, which is what a fuzzer looks for.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafeRawPointer?, _ count: Int) -> CInt {
    // Safe: libFuzzer passes `count` readable bytes.
    let input = unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    guard input.count >= 2 else { return 0 }
    var session = Session(settings: input[0])
    session.run(input[2...], chunk: max(1, Int(input[1])))
    return 0
}

/// A driver without sockets that checks what it is told.
private struct Session: ~Copyable {
    static let layout = PieceLayout(totalSize: 1_000_000, pieceLength: 32_768)
    static let infoHash = InfoHash(UInt160(high: 1, middle: 2, low: 3))
    static let limits = WireLimits()

    private var connection: Connection
    private var download = MetadataDownload(infoHash: infoHash)
    private var server = MetadataServer(metadata: Array(repeating: 7, count: 40_000))
    private var buffer: [UInt8] = []
    private var hasLayout = false
    private let knowsLayoutLate: Bool
    private var now = Instant(nanoseconds: 1)

    init(settings: UInt8) {
        let role: Connection.Role = settings & 1 == 0 ? .accepted : .dialled(Session.infoHash)
        connection = Connection(role: role, peerID: PeerID(.zero), now: now)
        knowsLayoutLate = settings & 2 != 0
        if settings & 4 != 0 {
            hasLayout = true
            _ = try? connection.layoutKnown(Session.layout)
        }
        if settings & 8 != 0 {
            var writer = ByteWriter()
            // Three capability bits from the settings, so that each message is met with and without its extension.
            var capabilities: Capabilities = []
            if settings & 16 != 0 { capabilities.insert(.fast) }
            if settings & 32 != 0 { capabilities.insert(.extensions) }
            Handshake(capabilities: capabilities, infoHash: Session.infoHash, peerID: PeerID(.max)).write(to: &writer)
            buffer = writer.take()
        }
    }

    mutating func run(_ input: ArraySlice<UInt8>, chunk: Int) {
        var rest = input
        do throws(WireError) {
            repeat {
                buffer += rest.prefix(chunk)
                rest = rest.dropFirst(chunk)
                now = now + .milliseconds(10)
                try drain()
                _ = try connection.advanced(to: now)
            } while !rest.isEmpty
            if knowsLayoutLate, !hasLayout {
                for event in try connection.layoutKnown(Session.layout) { check(event) }
            }
        } catch {
            // Refusing is what most inputs deserve.
            return
        }
    }

    private mutating func drain() throws(WireError) {
        while true {
            let taken = min(buffer.count, connection.payloadByteCount)
            buffer.removeFirst(taken)
            connection.payloadReceived(taken, at: now)
            let unread = buffer
            let step = try connection.next(in: unread.span.bytes, at: now)
            precondition(step.consumed >= 0 && step.consumed <= buffer.count, "consumed more than there was")
            precondition(step.event == nil || step.consumed > 0, "an event out of nothing")
            buffer.removeFirst(step.consumed)
            precondition(connection.neededByteCount <= (1 << 18) + 5, "the buffer would grow past the limit")
            guard let event = step.event else {
                let isPayload = connection.payloadByteCount > 0
                precondition(isPayload || buffer.count < connection.neededByteCount, "more bytes asked for than needed")
                return
            }
            check(event)
        }
    }

    private mutating func check(_ event: PeerEvent) {
        switch event {
        case .have(let piece), .suggest(let piece), .allowedFast(let piece):
            precondition((0..<Session.layout.pieceCount).contains(piece), "piece outside the torrent")
        case .request(let block), .block(let block):
            precondition(Session.layout.contains(block), "block outside the torrent")
            precondition(block.length <= Session.limits.blockLength, "block over the limit")
        case .bitfield(let bitfield):
            precondition(bitfield.count == Session.layout.pieceCount, "bitfield of another torrent")
        case .extensionHandshake:
            guard let offer = connection.remoteExtensions.offeredMetadata else { return }
            _ = download.offered(size: offer.size, by: 1, at: now)
        case .metadata(.data(let piece, let size, let bytes)):
            _ = download.received(piece: piece, totalSize: size, bytes: bytes, from: 1, at: now)
        case .metadata(.reject(let piece)):
            _ = download.rejected(piece: piece, by: 1, at: now)
        case .metadata(.request(let piece)):
            _ = server.answer(requestFor: piece, from: 1)
        default:
            break
        }
    }
}
