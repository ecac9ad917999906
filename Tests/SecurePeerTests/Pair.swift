import Cryptography
import Primitives
import Testing

@testable import SecurePeer

/// The persons of the known answers of secure-peer.md, §3, and what they use.
enum Known {
    static let unixSeconds: Int64 = 1_700_000_000
    static let infoHash = "0123456789abcdef0123456789abcdef01234567"

    /// The initiator.
    static let alice = Person(seed: 0x00, staticKey: 0x40, ephemeralKey: 0x10)
    /// The responder.
    static let bob = Person(seed: 0x20, staticKey: 0xc0, ephemeralKey: 0x90)

    static func swarm() throws -> SwarmTag {
        let bytes = try #require(Hex.decode(infoHash))
        return SwarmTag(of: try #require(InfoHash(bytes)))
    }

    static func greeting(port: UInt16? = 6881) -> Greeting {
        Greeting(capabilities: 0x10_0005, client: "SP 0.1", listenPort: port)
    }

    /// 32 times one byte.
    static func swarmKey(_ byte: UInt8) throws -> SwarmKey {
        let bytes = [UInt8](repeating: byte, count: 32)
        let key = SwarmKey(bytes.span.bytes)
        return try #require(key)
    }
}

/// Keys that count upwards from one byte each.
struct Person {
    var seed: UInt8
    var staticKey: UInt8
    var ephemeralKey: UInt8

    private static func counting(from first: UInt8) -> [UInt8] { (0..<32).map { first &+ $0 } }

    func signingKey() throws -> Ed25519.SigningKey {
        let seed = Person.counting(from: seed)
        let key = Ed25519.SigningKey(seed: seed.span.bytes)
        return try #require(key)
    }

    func identity(at unixSeconds: Int64 = Known.unixSeconds) throws -> SessionIdentity {
        let key = try Person.privateKey(staticKey)
        let identity = SessionIdentity(try signingKey(), at: unixSeconds, staticKey: key)
        return try #require(identity)
    }

    func ephemeral() throws -> X25519.PrivateKey { try Person.privateKey(ephemeralKey) }

    static func privateKey(_ first: UInt8) throws -> X25519.PrivateKey {
        let bytes = counting(from: first)
        let key = X25519.PrivateKey(bytes.span.bytes)
        return try #require(key)
    }

    func initiating(
        _ mode: SessionMode = .open,
        at now: Instant = .zero,
        limits: SecureLimits = SecureLimits()
    ) throws -> SecureHandshake {
        let handshake = SecureHandshake(
            initiating: try Known.swarm(),
            as: try identity(),
            mode: mode,
            greeting: Known.greeting(),
            limits: limits,
            now: now,
            ephemeralKey: try ephemeral()
        )
        guard let handshake else { throw SecureFault.outOfMemory }
        return handshake
    }

    func responding(
        swarmKeys: [SwarmKey] = [],
        acceptsOpen: Bool = true,
        isBusy: Bool = false,
        at now: Instant = .zero,
        limits: SecureLimits = SecureLimits()
    ) throws -> SecureHandshake {
        SecureHandshake(
            respondingAs: try identity(),
            swarmKeys: swarmKeys,
            acceptsOpen: acceptsOpen,
            isBusy: isBusy,
            greeting: Known.greeting(port: nil),
            limits: limits,
            now: now,
            ephemeralKey: try ephemeral()
        )
    }
}

extension SessionMode {
    /// Those of a responder that takes part.
    var keys: [SwarmKey] {
        guard case .privateSwarm(let key) = self else { return [] }
        return [key]
    }
}

/// What a machine did with what arrived.
struct Answer: Hashable {
    var sent: [UInt8] = []
    var event: RemotePeer?
    var consumed = 0
    var fault: SecureFault?
}

extension SecureHandshake {
    /// The driver's part: shows the bytes until nothing more is made of them.
    mutating func hears(
        _ bytes: [UInt8],
        at now: Instant = .zero,
        unixSeconds: Int64 = Known.unixSeconds
    ) -> Answer {
        var answer = Answer()
        var output = ByteWriter()
        do throws(SecureFault) {
            while answer.event == nil {
                let unread = bytes.span.bytes.extracting(droppingFirst: answer.consumed)
                let step = try next(in: unread, at: now, unixSeconds: unixSeconds, into: &output)
                answer.consumed += step.consumed
                answer.event = step.event
                guard step.consumed > 0 else { break }
            }
        } catch {
            answer.fault = error
        }
        answer.sent = output.bytes
        return answer
    }

    mutating func opens() throws -> [UInt8] {
        var output = ByteWriter()
        try start(into: &output)
        return output.bytes
    }
}

extension SecureSession {
    /// A record of some bytes.
    mutating func says(_ body: [UInt8], as type: RecordType = .data) throws(SecureFault) -> [UInt8] {
        var record = [UInt8](repeating: 0, count: body.count + SecureSession.overheadByteCount)
        var span = record.mutableSpan
        var room = span.mutableBytes
        try seal(type, into: &room) { $0.append(body.span.bytes) }
        return record
    }

    /// What is made of the first record in some bytes: its body, where it is data.
    mutating func hears(_ bytes: [UInt8], at now: Instant = .zero) -> Hearing {
        var buffer = bytes
        let result = opened(&buffer, at: now)
        guard case .record(.data(let range), let consumed) = result else { return result.hearing }
        return .data(Array(buffer[range]), consumed: consumed)
    }

    private mutating func opened(_ buffer: inout [UInt8], at now: Instant) -> Opened {
        var span = buffer.mutableSpan
        var room = span.mutableBytes
        do throws(SecureFault) {
            let step = try open(&room, at: now)
            guard let record = step.record else { return .nothing }
            return .record(record, consumed: step.consumed)
        } catch {
            return .fault(error)
        }
    }
}

private enum Opened {
    case nothing
    case record(OpenedRecord, consumed: Int)
    case fault(SecureFault)

    var hearing: Hearing {
        switch self {
        case .nothing, .record(.data, _): .nothing
        case .record(.padding, let consumed): .padding(consumed: consumed)
        case .record(.close(let reason, let text), _): .close(reason, text)
        case .fault(let fault): .fault(fault)
        }
    }
}

/// What a session heard.
enum Hearing: Hashable {
    case nothing
    case data([UInt8], consumed: Int)
    case padding(consumed: Int)
    case close(SecureCloseReason, String)
    case fault(SecureFault)
}

/// Two who have agreed.
struct Pair: ~Copyable {
    var alice: SecureSession
    var bob: SecureSession
    let hello: [UInt8]
    let answer: [UInt8]
    let proof: [UInt8]

    init(_ mode: SessionMode = .open, limits: SecureLimits = SecureLimits()) throws {
        var initiator = try Known.alice.initiating(mode, limits: limits)
        var responder = try Known.bob.responding(swarmKeys: mode.keys, acceptsOpen: mode == .open, limits: limits)
        let hello = try initiator.opens()
        let answer = responder.hears(hello).sent
        let met = initiator.hears(answer)
        #expect(met.fault == nil && met.event != nil)
        var output = ByteWriter()
        let alice = try initiator.agree(into: &output, at: .zero)
        let proof = output.bytes
        let heard = responder.hears(proof)
        #expect(heard.fault == nil && heard.event != nil)
        output.removeAll()
        bob = try responder.agree(into: &output, at: .zero)
        self.alice = alice
        self.hello = hello
        self.answer = answer
        self.proof = proof
        #expect(output.isEmpty)
    }
}
