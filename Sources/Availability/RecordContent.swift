import Bencode
package import Primitives

/// What a record says (secure-peer.md, §2, the table of keys).
package struct RecordContent: Hashable, Sendable {
    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// It speaks SPS/1.
        package static let secure = Flags(rawValue: 1)
        /// It also takes plain connections.
        package static let plain = Flags(rawValue: 2)
    }

    /// How much the peer has to do; a hint.
    package enum Load: UInt8, Hashable, Sendable {
        case unknown = 0
        case free = 1
        case busy = 2
        case full = 3
    }

    /// Where the peer believes that it can be reached; claims, until the endpoint proves the key.
    package var endpoint4: Endpoint?
    package var endpoint6: Endpoint?
    package var heldCount: Int
    package var flags: Flags
    package var blob: HaveBlob
    /// TCP and UDP.
    package var port: UInt16
    /// In seconds.
    package var lifetimeSeconds: Int
    package var load: Load

    /// Seconds that a record may live, and those of one that says nothing else.
    package static let lifetimes = 60...7200
    package static let usualLifetime = 3600

    package init(
        _ blob: HaveBlob,
        heldCount: Int,
        port: UInt16,
        flags: Flags = .plain,
        load: Load = .unknown,
        lifetimeSeconds: Int = RecordContent.usualLifetime,
        endpoint4: Endpoint? = nil,
        endpoint6: Endpoint? = nil
    ) {
        self.blob = blob
        self.heldCount = heldCount
        self.port = port
        self.flags = flags
        self.load = load
        self.lifetimeSeconds = lifetimeSeconds
        self.endpoint4 = endpoint4
        self.endpoint6 = endpoint6
    }

    package var pieceCount: Int { blob.claims.pieceCount }

    /// In milliseconds, as sequence numbers are.
    var lifetime: Int64 { Int64(lifetimeSeconds) * 1000 }

    /// Whether everything is as the table wants it; what was parsed is.
    var isInRange: Bool {
        (1...pieceCount).contains(heldCount) && blob.claims.heldCount ?? heldCount == heldCount && port != 0
            && RecordContent.lifetimes.contains(lifetimeSeconds) && endpoint4?.address.isV4 ?? true
            && !(endpoint6?.address.isV4 ?? false)
    }

    // MARK: Bencode

    var encoded: [UInt8] {
        var writer = BencodeWriter(capacity: AvailabilityRecord.longestValue)
        writer.dictionary {
            if let endpoint6 {
                $0.key("E")
                $0.string(endpoint6.compact)
            }
            $0.key("c")
            $0.integer(heldCount)
            if let endpoint4 {
                $0.key("e")
                $0.string(endpoint4.compact)
            }
            $0.key("f")
            $0.integer(flags.rawValue)
            $0.key("h")
            $0.string(blob.bytes)
            $0.key("n")
            $0.integer(pieceCount)
            $0.key("p")
            $0.integer(port)
            $0.key("t")
            $0.integer(lifetimeSeconds)
            $0.key("u")
            $0.integer(load.rawValue)
            $0.key("v")
            $0.integer(RecordContent.version)
        }
        return writer.take()
    }

    static let version: Int64 = 1
}

extension Endpoint {
    fileprivate var compact: [UInt8] {
        var writer = ByteWriter(capacity: 18)
        writeCompact(to: &writer)
        return writer.take()
    }
}
