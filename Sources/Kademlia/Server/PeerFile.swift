import Cryptography
package import Primitives

/// The peers that were announced to us, as they survive a restart.
///
///     magic "SHOALPRS" (8) · version (2) · info-hashes (4) ·
///     for each: info-hash (20) · IPv4 peers (2) · IPv6 peers (2) ·
///               for each peer: compact endpoint (6 or 18) · seconds that it has left, top bit for a seed (2) ·
///     SHA-1 of all that (20)
///
/// Numbers are in network order. Reading treats the file as hostile, as it does that of the table (hardening D16): what
/// it names passes the limits of the store, and lives no longer than if it had been announced just now.
package struct PeerFile: Sendable {
    package enum Fault: Error, Hashable, Sendable {
        case notAPeerFile
        case unknownVersion(UInt16)
        /// The counts do not fit the length, or the file is longer than any that we write.
        case wrongLength
        case wrongChecksum
    }

    package static let version: UInt16 = 1
    /// A million IPv6 peers of 2000 info-hashes, which is what the store may hold.
    package static let mostBytes = 14 + 2000 * 24 + 1_000_000 * 20 + UInt160.byteCount

    private static let magic: UInt64 = 0x5348_4f41_4c50_5253
    private static let headerByteCount = 14
    private static let seedBit: UInt16 = 0x8000

    private let store: PeerStore
    private let now: Instant

    init(_ store: PeerStore, at now: Instant) {
        self.store = store
        self.now = now
    }

    // MARK: Writing

    /// The file's bytes. Takes milliseconds for a full store: the value may be encoded on another thread.
    package var encoded: [UInt8] {
        var writer = ByteWriter(capacity: 1024 + store.count * 8)
        writer.bigEndian(PeerFile.magic)
        writer.bigEndian(PeerFile.version)
        writer.bigEndian(UInt32(clamping: store.infoHashCount))
        for infoHash in store.infoHashes { write(infoHash, to: &writer) }
        SHA1.hash(writer.bytes).value.write(to: &writer)
        return writer.take()
    }

    private func write(_ infoHash: InfoHash, to writer: inout ByteWriter) {
        let peers = Array(store.peers(of: infoHash, at: now).prefix(Int(UInt16.max)))
        let v4Count = peers.count { $0.address.isV4 }
        infoHash.value.write(to: &writer)
        writer.bigEndian(UInt16(truncatingIfNeeded: v4Count))
        writer.bigEndian(UInt16(truncatingIfNeeded: peers.count - v4Count))
        let seconds = StoredPeer.seconds(now)
        for isV4 in [true, false] {
            for peer in peers where peer.address.isV4 == isV4 {
                peer.endpoint.writeCompact(to: &writer)
                let left = UInt16(clamping: min(peer.expiresAt - seconds, UInt32(PeerFile.seedBit) - 1))
                writer.bigEndian(left | (peer.isSeed ? PeerFile.seedBit : 0))
            }
        }
    }

    // MARK: Reading

    /// Puts the peers of a file into a store, or throws and leaves it as it was.
    ///
    /// - Parameters:
    ///   - family: whose peers are taken up: a node announces and names those of its own DHT alone, and its replies have
    ///     room for no others (hardening D9).
    ///   - age: how long ago the file was written; its peers have that much less time left.
    static func restore(
        _ family: AddressFamily,
        from bytes: RawSpan,
        writtenAgo age: Duration,
        into store: inout PeerStore,
        limits: DHTLimits,
        at now: Instant
    ) throws(Fault) {
        guard bytes.bigEndian(UInt64.self, at: 0) == magic, let version = bytes.bigEndian(UInt16.self, at: 8) else {
            throw .notAPeerFile
        }
        guard version == PeerFile.version else { throw .unknownVersion(version) }
        let end = bytes.byteCount - UInt160.byteCount
        guard bytes.byteCount <= mostBytes, end >= headerByteCount,
            let infoHashes = bytes.bigEndian(UInt32.self, at: 10)
        else { throw .wrongLength }
        guard SHA1.hash(bytes.extracting(0..<end)) == SHA1Digest(bytes, at: end) else { throw .wrongChecksum }
        let reading = Reading(family: family, now: now, age: age, lifetime: limits.peerLifetime)
        var filled = store
        var offset = headerByteCount
        for _ in 0..<infoHashes {
            offset = try restoreSwarm(bytes.extracting(0..<end), at: offset, reading, into: &filled)
        }
        guard offset == end else { throw .wrongLength }
        store = filled
    }

    /// Whose peers are read, and how long they live.
    private struct Reading {
        let family: AddressFamily
        let now: UInt32
        let age: UInt32
        let lifetime: UInt32

        init(family: AddressFamily, now: Instant, age: Duration, lifetime: Duration) {
            self.family = family
            self.now = StoredPeer.seconds(now)
            self.age = UInt32(clamping: age.components.seconds)
            self.lifetime = UInt32(clamping: lifetime.components.seconds)
        }

        /// When a peer that had `left` seconds expires; `nil` if it has already.
        func expiry(_ left: UInt32) -> UInt32? {
            left > age ? UInt32(clamping: UInt64(now) + UInt64(min(left - age, lifetime))) : nil
        }
    }

    /// Reads one info-hash and its peers, and returns where the next one begins.
    private static func restoreSwarm(
        _ bytes: RawSpan,
        at offset: Int,
        _ reading: Reading,
        into store: inout PeerStore
    ) throws(Fault) -> Int {
        guard let infoHash = InfoHash(bytes, at: offset), let v4Count = bytes.bigEndian(UInt16.self, at: offset + 20),
            let v6Count = bytes.bigEndian(UInt16.self, at: offset + 22)
        else { throw .wrongLength }
        var offset = offset + 24
        for index in 0..<Int(v4Count) + Int(v6Count) {
            let peer = index < v4Count ? Endpoint(compactV4: bytes, at: offset) : Endpoint(compactV6: bytes, at: offset)
            guard let peer, let packed = bytes.bigEndian(UInt16.self, at: offset + peer.compactByteCount) else {
                throw .wrongLength
            }
            offset += peer.compactByteCount + 2
            guard peer.isUsable, peer.address.family == reading.family,
                let expiresAt = reading.expiry(UInt32(packed & ~seedBit))
            else { continue }
            store.restore(StoredPeer(peer, isSeed: packed & seedBit != 0, expiresAt: expiresAt), for: infoHash)
        }
        return offset
    }
}

extension DHTNode {
    /// What was announced to us, to be encoded for the next run.
    package var peerFile: PeerFile { PeerFile(peers, at: toldTime) }

    /// Takes up what was announced to a former run.
    ///
    /// - Parameters:
    ///   - bytes: what `PeerFile.encoded` gave.
    ///   - age: how long ago that was.
    package mutating func restorePeers(_ bytes: RawSpan, writtenAgo age: Duration, at now: Instant) throws(PeerFile
        .Fault)
    {
        try PeerFile.restore(family, from: bytes, writtenAgo: age, into: &peers, limits: limits, at: now)
    }
}
