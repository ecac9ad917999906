import Availability
import Primitives

/// A swarm in bytes, as a tracker writes it down for its next run and for others on the same database.
///
///     1 · IPv4 peers (2) · each: address (4), port (2), flags (1), age (2), key (4), peer id (20)
///       · IPv6 peers (2) · each: the same with an address of 16
///       · holders (2) · each: 4 or 6 (1), address, port (2), pieces (4), length (2), have-blob
///
/// Numbers in network order; ages in steps of 16 seconds; flags: 1 seed, 2 has said that it completed.
enum SwarmCoding {
    static let version: UInt8 = 1
    static let seedFlag: UInt8 = 1
    static let completedFlag: UInt8 = 2

    /// The peers that announced here; nothing where there is none.
    static func encode(_ swarm: Swarm, _ holders: SwarmHolders?, at now: Instant) -> [UInt8] {
        var writer = ByteWriter(capacity: 16 + swarm.v4.count * 33 + swarm.v6.count * 45)
        writer.byte(version)
        let count = write(swarm.v4, at: now, to: &writer) + write(swarm.v6, at: now, to: &writer)
        guard count > 0 else { return [] }
        let told = holders?.byEndpoint ?? [:]
        writer.bigEndian(UInt16(clamping: told.count))
        for (endpoint, told) in told.prefix(Int(UInt16.max)) {
            writer.byte(endpoint.address.isV4 ? 4 : 6)
            endpoint.writeCompact(to: &writer)
            writer.bigEndian(UInt32(clamping: told.pieceCount))
            writer.bigEndian(UInt16(clamping: told.blob.count))
            writer.append(told.blob)
        }
        return writer.take()
    }

    private static func write<Row: PeerRow>(_ table: PeerTable<Row>, at now: Instant, to writer: inout ByteWriter)
        -> Int
    {
        let own = table.rows.count { !$0.stamp.isForeign }
        writer.bigEndian(UInt16(clamping: own))
        for (position, row) in table.rows.enumerated() where !row.stamp.isForeign {
            let isSeed = PeerKind.isSeed(table.kind(at: position))
            row.endpoint.writeCompact(to: &writer)
            writer.byte((isSeed ? seedFlag : 0) | (row.stamp.hasCompleted ? completedFlag : 0))
            writer.bigEndian(row.stamp.ticks(until: now))
            writer.bigEndian(row.id.key)
            row.id.peerID.value.write(to: &writer)
        }
        return own
    }
}

/// Walks the bytes of a swarm that was written down. They come from a database that others write too: whatever makes no
/// sense ends the walk.
struct SwarmReader: ~Escapable {
    /// One peer as it was written down.
    struct Peer {
        let endpoint: Endpoint
        let id: RowID
        let isSeed: Bool
        let hasCompleted: Bool
        /// In steps of 16 seconds.
        let age: UInt16
    }

    /// What one peer told of its pieces.
    struct Holder {
        let endpoint: Endpoint
        let blob: HaveBlob
    }

    private let bytes: RawSpan
    private var offset = 1
    private var family = AddressFamily.v4
    private var left = 0
    private var hasBegun = false

    /// `nil` for bytes of another version.
    @_lifetime(copy bytes)
    init?(_ bytes: RawSpan) {
        guard bytes.byte(at: 0) == SwarmCoding.version else { return nil }
        self.bytes = bytes
    }

    /// The next peer; `nil` after the last one of both families.
    @_lifetime(self: copy self)
    mutating func nextPeer() -> Peer? {
        while left == 0 {
            if hasBegun, family == .v6 { return nil }
            guard let count = number(UInt16.self) else { return nil }
            if hasBegun { family = .v6 }
            hasBegun = true
            left = Int(count)
        }
        left -= 1
        guard let endpoint = Endpoint(compact: family, bytes, at: offset) else { return nil }
        offset += family.compactEndpointByteCount
        guard let flags = number(UInt8.self), let age = number(UInt16.self), let key = number(UInt32.self),
            let peerID = PeerID(bytes, at: offset), endpoint.port > 0
        else { return nil }
        offset += UInt160.byteCount
        return Peer(
            endpoint: endpoint,
            id: RowID(peerID, key: key),
            isSeed: flags & SwarmCoding.seedFlag != 0,
            hasCompleted: flags & SwarmCoding.completedFlag != 0,
            age: age
        )
    }

    /// The holders, once there are no more peers.
    @_lifetime(self: copy self)
    mutating func holders(atMost limit: Int) -> [Holder] {
        var holders: [Holder] = []
        let count = min(Int(number(UInt16.self) ?? 0), limit)
        while holders.count < count {
            let family: AddressFamily = number(UInt8.self) == 4 ? .v4 : .v6
            guard let endpoint = Endpoint(compact: family, bytes, at: offset) else { break }
            offset += family.compactEndpointByteCount
            guard let pieceCount = number(UInt32.self), let length = number(UInt16.self),
                let blob = bytes.copy(offset..<offset + Int(length)),
                let parsed = try? HaveBlob(parsing: blob.span.bytes, pieceCount: Int(pieceCount))
            else { break }
            offset += blob.count
            holders.append(Holder(endpoint: endpoint, blob: parsed))
        }
        return holders
    }

    @_lifetime(self: copy self)
    private mutating func number<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> T? {
        guard let number = bytes.bigEndian(type, at: offset) else { return nil }
        offset += MemoryLayout<T>.size
        return number
    }
}
