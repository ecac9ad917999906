import Metainfo
import Primitives

/// Reading one message: length, kind, then the fields of that kind.
extension Connection {
    static let prefixByteCount = 4
    /// Length prefix, id, piece and begin of a `piece` message.
    static let blockHeaderByteCount = 13

    mutating func nextMessage(in bytes: RawSpan) throws(WireError) -> Step {
        guard let prefix = bytes.bigEndian(UInt32.self, at: 0) else { return wait(for: Connection.prefixByteCount) }
        guard prefix > 0 else { return (.keepAlive, Connection.prefixByteCount) }
        guard prefix <= limits.frameLength - Connection.prefixByteCount else { throw .messageTooLong(prefix) }
        let length = Int(prefix)
        guard let code = bytes.byte(at: 4) else { return wait(for: 5) }
        guard let id = MessageID(rawValue: code), id != .extended || supportsExtensions else {
            return ignore(id: code, headerByteCount: 5, length: length, in: bytes)
        }
        try check(id, length: length)
        switch id {
        case .piece: return try nextBlock(in: bytes, length: length)
        case .extended: return try nextExtended(in: bytes, length: length)
        default: break
        }
        let frame = Connection.prefixByteCount + length
        guard bytes.byteCount >= frame else { return wait(for: frame) }
        neededByteCount = Connection.prefixByteCount
        return (try event(id, in: bytes, frame: frame), frame)
    }

    mutating func wait(for byteCount: Int) -> Step {
        neededByteCount = byteCount
        return (nil, 0)
    }

    /// Checks what the first five bytes tell, before anything is buffered for the rest.
    private func check(_ id: MessageID, length: Int) throws(WireError) {
        guard !id.needsFast || supportsFast else { throw .fastNotNegotiated(id: id.rawValue) }
        if let expected = id.fixedLength {
            guard length == expected else { throw .wrongLength(id: id.rawValue, length: length) }
        }
        switch id {
        case .bitfield:
            // aria2 1.36 sends one in the middle of a session in place of many haves; it is taken like them.
            let exact = ((layout?.pieceCount ?? limits.pieceCount) + 7) / 8
            guard length - 1 == exact || (layout == nil && length - 1 < exact) else { throw .malformedBitfield }
        case .haveAll, .haveNone:
            guard !hasAnnounced else { throw .lateBitfield }
        case .piece:
            // An empty block answers no request.
            guard length >= 10 else { throw .wrongLength(id: id.rawValue, length: length) }
        case .extended:
            guard length >= 2 else { throw .wrongLength(id: id.rawValue, length: length) }
        default:
            break
        }
    }

    /// The event of a message that is whole in the buffer and has the length its kind asks for.
    private mutating func event(_ id: MessageID, in bytes: RawSpan, frame: Int) throws(WireError) -> PeerEvent {
        switch id {
        case .choke: return .choke
        case .unchoke: return .unchoke
        case .interested: return .interested
        case .notInterested: return .notInterested
        case .have, .suggest, .allowedFast: return try advice(id, bytes.bigEndian(UInt32.self, at: 5) ?? .max)
        case .bitfield: return try bitfield(bytes.copy(5..<frame) ?? [])
        case .haveAll, .haveNone: return announcedWhole(id)
        case .request: return try request(block(in: bytes))
        case .cancel: return .cancel(block(in: bytes))
        case .reject: return .reject(block(in: bytes))
        case .port: return .port(bytes.bigEndian(UInt16.self, at: 5) ?? 0)
        case .piece, .extended: return .ignored(id: id.rawValue)
        }
    }

    /// The three fields of `request`, `cancel` and `reject`. The frame is whole, so the defaults are never used.
    private func block(in bytes: RawSpan) -> Block {
        Block(
            piece: bytes.bigEndian(UInt32.self, at: 5) ?? 0,
            begin: bytes.bigEndian(UInt32.self, at: 9) ?? 0,
            length: bytes.bigEndian(UInt32.self, at: 13) ?? 0
        )
    }

    private mutating func advice(_ id: MessageID, _ piece: UInt32) throws(WireError) -> PeerEvent {
        if id == .have { hasAnnounced = true }
        guard let layout else {
            switch id {
            case .have: try held.have(piece, limits: limits)
            case .allowedFast: held.allowedFast(piece, limits: limits)
            default: break
            }
            return .held
        }
        guard piece < layout.pieceCount else { throw .pieceOutOfRange(piece) }
        switch id {
        case .have: return .have(Int(piece))
        case .suggest: return .suggest(Int(piece))
        default: return .allowedFast(Int(piece))
        }
    }

    private mutating func bitfield(_ raw: [UInt8]) throws(WireError) -> PeerEvent {
        hasAnnounced = true
        guard let layout else {
            held.bitfield(raw)
            return .held
        }
        guard let bitfield = Bitfield(raw.span.bytes, count: layout.pieceCount) else { throw .malformedBitfield }
        return .bitfield(bitfield)
    }

    private mutating func announcedWhole(_ id: MessageID) -> PeerEvent {
        hasAnnounced = true
        guard layout == nil else { return id == .haveAll ? .haveAll : .haveNone }
        // Nothing is what we assume anyway.
        if id == .haveAll { held.all() }
        return .held
    }

    private mutating func request(_ block: Block) throws(WireError) -> PeerEvent {
        hasAnnounced = true
        guard block.length > 0, block.length <= limits.blockLength else { throw .requestLength(block.length) }
        if let layout, layout.contains(block) { return .request(block) }
        guard supportsFast else { throw .requestOutside(block) }
        return .requestOutside(block)
    }

    /// The header of a `piece` message; its payload never passes through the buffer that is parsed.
    private mutating func nextBlock(in bytes: RawSpan, length: Int) throws(WireError) -> Step {
        let header = Connection.blockHeaderByteCount
        guard let piece = bytes.bigEndian(UInt32.self, at: 5), let begin = bytes.bigEndian(UInt32.self, at: 9) else {
            return wait(for: header)
        }
        hasAnnounced = true
        let byteCount = length - (header - Connection.prefixByteCount)
        // The length prefix is 20 bits long at most, so this cannot trap.
        let block = Block(piece: piece, begin: begin, length: UInt32(byteCount))
        guard byteCount <= limits.blockLength, let layout, layout.contains(block) else { throw .blockOutside(block) }
        phase = .payload(left: byteCount)
        neededByteCount = Connection.prefixByteCount
        return (.block(block), header)
    }

    /// Begins to read over a message that nobody here understands.
    mutating func ignore(id: UInt8, headerByteCount: Int, length: Int, in bytes: RawSpan) -> Step {
        let rest = length - (headerByteCount - Connection.prefixByteCount)
        let taken = min(rest, max(0, bytes.byteCount - headerByteCount))
        return skipped(taken, of: rest, id: id, consumed: headerByteCount + taken)
    }

    mutating func skip(id: UInt8, left: Int, in bytes: RawSpan) -> Step {
        let taken = min(left, bytes.byteCount)
        return skipped(taken, of: left, id: id, consumed: taken)
    }

    private mutating func skipped(_ taken: Int, of left: Int, id: UInt8, consumed: Int) -> Step {
        guard taken == left else {
            phase = .skipping(id: id, left: left - taken)
            neededByteCount = 1
            return (nil, consumed)
        }
        phase = .messages
        neededByteCount = Connection.prefixByteCount
        return (.ignored(id: id), consumed)
    }
}
