import Metainfo
import PeerWire
import Primitives

/// Plays the driver: keeps the buffer, drops what is consumed, moves payload, in chunks of any size.
struct Remote: ~Copyable {
    static let start = Instant(nanoseconds: 1_000_000_000)
    static let infoHash = InfoHash(UInt160(high: 0x1111, middle: 0x2222, low: 0x3333))
    static let ownID = PeerID(UInt160(high: 1, middle: 2, low: 3))
    static let peerID = PeerID(UInt160(high: 0x2d4c_5432_3130_302d, middle: 5, low: 6))
    /// Three pieces of 32 KiB, 32 KiB and 1000 bytes.
    static let layout = PieceLayout(totalSize: 66_536, pieceLength: 32_768)

    var connection: Connection
    var events: [PeerEvent] = []
    var payload: [UInt8] = []
    var error: WireError?
    private var buffer: [UInt8] = []
    /// The most that the buffer ever held, to compare with `neededByteCount`.
    private(set) var largestNeed = 0

    init(role: Connection.Role = .dialled(Remote.infoHash), limits: WireLimits = .init()) {
        connection = Connection(role: role, peerID: Remote.ownID, limits: limits, now: Remote.start)
    }

    /// A connection over a secure session.
    init(established handshake: Handshake) {
        connection = Connection(established: handshake, client: "Speaker 1\u{1b}", role: .accepted, now: Remote.start)
    }

    /// A connection whose handshake is done, with or without the layout.
    static func connected(
        _ capabilities: Capabilities = .shoal,
        layout: PieceLayout? = Remote.layout
    ) -> Remote {
        var remote = Remote()
        if let layout { remote.layoutKnown(layout) }
        remote.send(Remote.handshake(capabilities))
        remote.events = []
        return remote
    }

    static func handshake(_ capabilities: Capabilities = .shoal) -> [UInt8] {
        var writer = ByteWriter()
        Handshake(capabilities: capabilities, infoHash: infoHash, peerID: peerID).write(to: &writer)
        return writer.take()
    }

    mutating func send(_ bytes: [UInt8], chunk: Int = .max, at now: Instant = Remote.start) {
        var rest = bytes[...]
        while error == nil, !rest.isEmpty {
            let part = rest.prefix(chunk)
            rest = rest.dropFirst(part.count)
            buffer += part
            drain(at: now)
        }
    }

    mutating func layoutKnown(_ layout: PieceLayout) {
        do {
            let released = try connection.layoutKnown(layout)
            events += released
        } catch {
            self.error = error
        }
    }

    private mutating func drain(at now: Instant) {
        do throws(WireError) {
            while true {
                let taken = min(buffer.count, connection.payloadByteCount)
                if taken > 0 {
                    payload += buffer.prefix(taken)
                    buffer.removeFirst(taken)
                    connection.payloadReceived(taken, at: now)
                }
                let unread = buffer
                let step = try connection.next(in: unread.span.bytes, at: now)
                buffer.removeFirst(step.consumed)
                largestNeed = max(largestNeed, connection.neededByteCount)
                guard let event = step.event else { return }
                events.append(event)
            }
        } catch {
            self.error = error
        }
    }
}

/// A frame: length prefix, id, fields.
func frame(_ id: UInt8, _ fields: [UInt8] = []) -> [UInt8] {
    var writer = ByteWriter()
    writer.bigEndian(UInt32(fields.count + 1))
    writer.byte(id)
    writer.append(fields)
    return writer.take()
}

func text(_ text: String) -> [UInt8] { Array(text.utf8) }
