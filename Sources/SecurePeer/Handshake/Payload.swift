import Bencode
import Primitives

/// What one side tells about itself beside its certificate.
package struct Greeting: Hashable, Sendable {
    /// The eight reserved bytes of BEP 3 as a number.
    package var capabilities: UInt64
    /// The client's name and version, at most 32 bytes; what a stranger says is any text.
    package var client: String
    /// Where an initiator listens; a responder says nothing, for it was found there.
    package var listenPort: UInt16?

    package init(capabilities: UInt64, client: String, listenPort: UInt16?) {
        self.capabilities = capabilities
        self.client = client
        self.listenPort = listenPort
    }
}

/// The payload of message 2 or 3: a bencoded dictionary.
package struct Payload: Hashable {
    /// Lists and dictionaries of later versions pass; 1024 bytes hold no more values than this.
    static let limits = BencodeLimits(depth: 4, tokens: 128, byteCount: 1024, isStrict: true)

    /// Not checked yet.
    package var certificate: [UInt8]
    package var greeting: Greeting
    /// From an initiator only.
    package var swarm: SwarmTag?

    init(certificate: [UInt8], greeting: Greeting, swarm: SwarmTag?) {
        self.certificate = certificate
        self.greeting = greeting
        self.swarm = swarm
    }

    /// Reads what the other side sent.
    ///
    /// - Parameter isInitiator: whether it is the one who has to say where it listens and which torrent it wants.
    package init(_ bytes: RawSpan, isInitiator: Bool, limits: SecureLimits) throws(PayloadFault) {
        var fields = Fields()
        do throws(BencodeError) {
            try fields.read(bytes, isInitiator: isInitiator)
        } catch {
            throw .bencode(error)
        }
        guard let certificate = fields.certificate else { throw .missing("c") }
        guard let capabilities = fields.capabilities else { throw .missing("f") }
        guard capabilities.count == 8, let number = capabilities.span.bytes.bigEndian(UInt64.self, at: 0) else {
            throw .invalid("f")
        }
        let client = fields.client ?? []
        guard client.count <= limits.clientByteCount else { throw .invalid("v") }
        self.certificate = certificate
        greeting = Greeting(capabilities: number, client: String(decoding: client, as: UTF8.self), listenPort: nil)
        guard isInitiator else { return }
        guard let port = fields.port else { throw .missing("l") }
        guard let port = UInt16(exactly: port), port > 0 else { throw .invalid("l") }
        guard let swarm = fields.swarm else { throw .missing("s") }
        guard swarm.count == SwarmTag.byteCount, let tag = UInt160(swarm.span.bytes) else { throw .invalid("s") }
        greeting.listenPort = port
        self.swarm = SwarmTag(tag)
    }

    package var bytes: [UInt8] {
        var writer = BencodeWriter(capacity: 256)
        writer.dictionary {
            $0.key("c")
            $0.string(certificate)
            $0.key("f")
            var capabilities = ByteWriter(capacity: 8)
            capabilities.bigEndian(greeting.capabilities)
            $0.string(capabilities.bytes)
            if let swarm {
                $0.key("l")
                $0.integer(greeting.listenPort ?? 0)
                $0.key("s")
                $0.string(swarm.value.bytes)
            }
            if !greeting.client.isEmpty {
                $0.key("v")
                $0.string(greeting.client)
            }
        }
        return writer.take()
    }
}

/// The values as they stand there; keys of later versions are passed over.
private struct Fields {
    var certificate: [UInt8]?
    var capabilities: [UInt8]?
    var port: Int64?
    var swarm: [UInt8]?
    var client: [UInt8]?

    mutating func read(_ bytes: RawSpan, isInitiator: Bool) throws(BencodeError) {
        var reader = BencodeReader(bytes, limits: Payload.limits)
        try reader.beginDictionary()
        while let key = try reader.nextKey() {
            if reader.matches(key, "c") {
                certificate = reader.copy(try reader.string())
            } else if reader.matches(key, "f") {
                capabilities = reader.copy(try reader.string())
            } else if isInitiator, reader.matches(key, "l") {
                port = try reader.integer()
            } else if isInitiator, reader.matches(key, "s") {
                swarm = reader.copy(try reader.string())
            } else if reader.matches(key, "v") {
                client = reader.copy(try reader.string())
            } else {
                try reader.skipValue()
            }
        }
        try reader.finish()
    }
}
