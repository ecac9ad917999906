import Bencode
package import Cryptography
package import Primitives

/// The extensions that we speak, and the ids under which we want to be sent their messages (BEP 10).
package enum LocalExtension: UInt8, Hashable, Sendable {
    case metadata = 2
}

/// The dictionary with which each side says what it speaks beyond BEP 3 (BEP 10).
package struct ExtensionHandshake: Hashable, Sendable {
    /// Under which id the sender wants `ut_metadata` messages (BEP 9); 0 turns the extension off, `nil` says nothing.
    package var metadataID: UInt8?
    /// `metadata_size`: bytes in the `info` dictionary (BEP 9).
    package var metadataSize: Int?
    /// `p`: where the sender listens for TCP.
    package var listenPort: UInt16?
    /// `reqq`: how many requests the sender queues without dropping any.
    package var requestQueueLength: Int?
    /// `sp`: the key that the sender proves in a secure session, which it also speaks on this port (secure-peer.md, §3).
    package var secureKey: Ed25519.PublicKey?
    /// `v`: the sender's client. What was read from a remote is safe to print.
    package var client: String?
    /// `yourip`: the address the sender sees us at.
    package var yourAddress: IPAddress?

    /// How the other side sees us in `v`.
    package static let shoalClient = "shoal 0.1.0"
    /// How many requests we queue (hardening B4), the same as libtorrent.
    package static let shoalRequestQueueLength = 250

    package init() {}

    /// The version of secure sessions that `sp` speaks of.
    private static let secureVersion: Int64 = 1

    /// What we say.
    package static func shoal(
        metadataSize: Int?,
        listenPort: UInt16?,
        secureKey: Ed25519.PublicKey? = nil,
        yourAddress: IPAddress?
    ) -> ExtensionHandshake {
        var handshake = ExtensionHandshake()
        handshake.metadataID = LocalExtension.metadata.rawValue
        handshake.metadataSize = metadataSize
        handshake.listenPort = listenPort
        handshake.requestQueueLength = shoalRequestQueueLength
        handshake.secureKey = secureKey
        handshake.client = shoalClient
        handshake.yourAddress = yourAddress
        return handshake
    }

    /// Whether `ut_metadata` requests can be sent, and for how many bytes.
    package var offeredMetadata: (id: UInt8, size: Int)? {
        guard let metadataID, metadataID != 0, let metadataSize else { return nil }
        return (metadataID, metadataSize)
    }

    /// Takes over what a later handshake says: later ones only name what changed (BEP 10).
    package mutating func merge(_ later: ExtensionHandshake) {
        metadataID = later.metadataID ?? metadataID
        metadataSize = later.metadataSize ?? metadataSize
        listenPort = later.listenPort ?? listenPort
        requestQueueLength = later.requestQueueLength ?? requestQueueLength
        secureKey = later.secureKey ?? secureKey
        client = later.client ?? client
        yourAddress = later.yourAddress ?? yourAddress
    }
}

// MARK: - Reading

extension ExtensionHandshake {
    /// Reads the dictionary, which is all there is in the message; unknown keys and values of another type are passed over.
    package init(_ bytes: RawSpan, limits: WireLimits = .init()) throws(WireError) {
        var ids = ExtensionIDs()
        var reader = BencodeReader(bytes, limits: .extensionMessage)
        do throws(BencodeError) {
            try reader.beginDictionary()
            while let key = try reader.nextKey() { try read(key, from: &reader, ids: &ids) }
            try reader.finish()
        } catch {
            throw .malformedExtension
        }
        if let duplicate = ids.duplicate { throw .duplicateExtensionID(duplicate) }
        guard !ids.hasInvalid else { throw .malformedExtension }
        // Clients that have no metadata yet say 0.
        if metadataSize == 0 { metadataSize = nil }
        if let size = metadataSize, size < 0 || size > limits.metadataLength { throw .metadataSize(size) }
    }

    private mutating func read(
        _ key: Range<Int>,
        from reader: inout BencodeReader,
        ids: inout ExtensionIDs
    ) throws(BencodeError) {
        if reader.matches(key, "m") {
            guard try reader.beginOptionalDictionary() else { return }
            while let name = try reader.nextKey() {
                guard let value = try reader.optionalInteger(), let id = ids.insert(value) else { continue }
                if reader.matches(name, "ut_metadata") { metadataID = id }
            }
        } else if reader.matches(key, "metadata_size") {
            metadataSize = try reader.optionalInteger().map { Int($0) }
        } else if reader.matches(key, "p") {
            listenPort = try reader.optionalInteger().flatMap { UInt16(exactly: $0) }
        } else if reader.matches(key, "reqq") {
            let length = try reader.optionalInteger()
            requestQueueLength = length.map { Int(min(max($0, 1), 1 << 16)) }
        } else if reader.matches(key, "sp") {
            secureKey = try ExtensionHandshake.secureKey(from: &reader)
        } else if reader.matches(key, "v") {
            client = try reader.optionalString().flatMap { PrintableText.from(reader.copy($0)) }
        } else if reader.matches(key, "yourip") {
            yourAddress = try reader.optionalString().flatMap { ExtensionHandshake.address(reader.slice($0)) }
        } else {
            try reader.skipValue()
        }
    }

    /// A key of 32 bytes, and the version that we speak too.
    private static func secureKey(from reader: inout BencodeReader) throws(BencodeError) -> Ed25519.PublicKey? {
        guard try reader.beginOptionalDictionary() else { return nil }
        var key: Ed25519.PublicKey?
        var version: Int64?
        while let name = try reader.nextKey() {
            if reader.matches(name, "k") {
                let value = try reader.optionalString()
                key = value.flatMap { $0.count == Ed25519.PublicKey.byteCount ? $0 : nil }
                    .flatMap { Ed25519.PublicKey(reader.slice($0)) }
            } else if reader.matches(name, "v") {
                version = try reader.optionalInteger()
            } else {
                try reader.skipValue()
            }
        }
        return version == secureVersion ? key : nil
    }

    /// 4 bytes of IPv4 or 16 of IPv6.
    private static func address(_ bytes: RawSpan) -> IPAddress? {
        switch bytes.byteCount {
        case 4: bytes.bigEndian(UInt32.self, at: 0).map { .v4($0) }
        case 16:
            if let high = bytes.bigEndian(UInt64.self, at: 0), let low = bytes.bigEndian(UInt64.self, at: 8) {
                .v6(high: high, low: low)
            } else {
                nil
            }
        default: nil
        }
    }
}

/// The ids of one `m` dictionary, which have to differ (hardening B7).
private struct ExtensionIDs {
    private var isTaken = [Bool](repeating: false, count: 256)
    private(set) var duplicate: UInt8?
    private(set) var hasInvalid = false

    /// Zero turns an extension off, so it may come more than once.
    mutating func insert(_ value: Int64) -> UInt8? {
        guard let id = UInt8(exactly: value) else {
            hasInvalid = true
            return nil
        }
        if id != 0, isTaken[Int(id)] { duplicate = id }
        isTaken[Int(id)] = true
        return id
    }
}

// MARK: - Writing

extension ExtensionHandshake {
    /// The dictionary, keys ascending.
    func encoded() -> [UInt8] {
        var writer = BencodeWriter(capacity: 128)
        writer.beginDictionary()
        if let metadataID {
            writer.key("m")
            writer.beginDictionary()
            writer.key("ut_metadata")
            writer.integer(metadataID)
            writer.end()
        }
        if let metadataSize {
            writer.key("metadata_size")
            writer.integer(metadataSize)
        }
        if let listenPort {
            writer.key("p")
            writer.integer(listenPort)
        }
        if let requestQueueLength {
            writer.key("reqq")
            writer.integer(requestQueueLength)
        }
        if let secureKey {
            writer.key("sp")
            writer.beginDictionary()
            writer.key("k")
            writer.string(secureKey.bytes)
            writer.key("v")
            writer.integer(ExtensionHandshake.secureVersion)
            writer.end()
        }
        if let client {
            writer.key("v")
            writer.string(client)
        }
        if let yourAddress {
            writer.key("yourip")
            writer.string(ExtensionHandshake.bytes(of: yourAddress))
        }
        writer.end()
        return writer.take()
    }

    private static func bytes(of address: IPAddress) -> [UInt8] {
        var writer = ByteWriter(capacity: 16)
        switch address {
        case .v4(let bits): writer.bigEndian(bits)
        case .v6(let high, let low):
            writer.bigEndian(high)
            writer.bigEndian(low)
        }
        return writer.take()
    }
}
