import Cryptography
import Primitives
import Testing

@testable import SecurePeer

@Suite("Attacks on the handshake")
struct TamperingTests {
    /// What passes between the two of the known answers, and who stands between them.
    struct Meeting {
        var alice: Answer
        /// What Alice sent for message 3; none where she did not get so far.
        var proof: [UInt8]
        var bob: Answer
        /// What Alice made of what Bob then sent.
        var last: Hearing
    }

    static let hello = 1
    static let answer = 2
    static let proof = 3

    /// Lets them meet, with one bit of one message flipped on its way.
    static func meeting(_ mode: SessionMode = .open, message: Int, bit: Int) throws -> Meeting {
        func passed(_ bytes: [UInt8], as number: Int) -> [UInt8] {
            guard number == message, bit / 8 < bytes.count else { return bytes }
            var bytes = bytes
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            return bytes
        }
        var alice = try Known.alice.initiating(mode)
        var bob = try Known.bob.responding(swarmKeys: mode.keys, acceptsOpen: mode == .open)
        let answered = bob.hears(passed(try alice.opens(), as: hello))
        let met = alice.hears(passed(answered.sent, as: answer))
        guard met.event != nil else {
            return Meeting(alice: met, proof: [], bob: answered, last: .nothing)
        }
        var output = ByteWriter()
        var session = try alice.agree(into: &output, at: .zero)
        let heard = bob.hears(passed(output.bytes, as: proof))
        return Meeting(alice: met, proof: output.bytes, bob: heard, last: session.hears(heard.sent))
    }

    @Test("without a flipped bit the meeting is one")
    func control() throws {
        let meeting = try TamperingTests.meeting(message: 0, bit: 0)
        #expect(meeting.alice.event != nil && meeting.bob.event != nil)
        #expect(meeting.alice.fault == nil && meeting.bob.fault == nil)
    }

    @Test("N24: no bit of message 1 can be flipped: nobody meets anybody", arguments: 0..<8)
    func helloBits(bit: Int) throws {
        for byte in 0..<46 {
            let meeting = try TamperingTests.meeting(message: TamperingTests.hello, bit: byte * 8 + bit)
            #expect(meeting.alice.event == nil && meeting.bob.event == nil, "byte \(byte)")
            // Either Bob finds it, or Alice does in his answer.
            #expect((meeting.alice.fault ?? meeting.bob.fault) != nil, "byte \(byte)")
        }
    }

    @Test("N24: no bit of message 2 can be flipped: Alice meets nobody and never says who she is", arguments: 0..<8)
    func answerBits(bit: Int) throws {
        for byte in 0..<280 {
            let meeting = try TamperingTests.meeting(message: TamperingTests.answer, bit: byte * 8 + bit)
            #expect(meeting.alice.event == nil && meeting.proof.isEmpty, "byte \(byte)")
            // A length that has grown is waited for, up to the deadline.
            let waits = meeting.alice == Answer()
            #expect(waits ? (1...2).contains(byte) : meeting.alice.fault != nil, "byte \(byte)")
        }
    }

    @Test("N24: no bit of message 3 can be flipped: Bob meets nobody, and Alice accepts no record", arguments: 0..<8)
    func proofBits(bit: Int) throws {
        for byte in 0..<282 {
            let meeting = try TamperingTests.meeting(message: TamperingTests.proof, bit: byte * 8 + bit)
            #expect(meeting.alice.event != nil && meeting.bob.event == nil, "byte \(byte)")
            #expect(meeting.bob == Answer() ? byte < 2 : meeting.bob.fault != nil, "byte \(byte)")
            #expect(meeting.last == .nothing && meeting.bob.sent.isEmpty, "byte \(byte)")
        }
    }

    @Test("N24: no bit of a private message 1 can be flipped: it gets at most a status", arguments: 0..<8)
    func privateHelloBits(bit: Int) throws {
        let mode = SessionMode.privateSwarm(try Known.swarmKey(7))
        #expect(try TamperingTests.meeting(mode, message: 0, bit: 0).bob.event != nil)
        for byte in 0..<62 {
            let meeting = try TamperingTests.meeting(mode, message: TamperingTests.hello, bit: byte * 8 + bit)
            #expect(meeting.bob.fault != nil && meeting.alice.event == nil, "byte \(byte)")
            #expect(meeting.bob.sent.count == ((8...10).contains(byte) ? 3 : 0), "byte \(byte)")
        }
    }

    @Test("N24: after a false message 2 the true message 3 of another handshake is of no use")
    func stolenProof() throws {
        let pair = try Pair()
        var bob = try Known.bob.responding()
        var hello = pair.hello
        hello[20] ^= 1
        #expect(bob.hears(hello).sent.count == 280)
        #expect(bob.hears(pair.proof) == Answer(fault: .tampered))
    }

    @Test("a fault is the end: what follows is not read, and nobody can be agreed with", arguments: [false, true])
    func faultsLast(isInitiator: Bool) throws {
        let pair = try Pair()
        var alice = try Known.alice.initiating()
        var bob = try Known.bob.responding()
        _ = bob.hears(try alice.opens())
        var output = ByteWriter()
        func change(_ message: [UInt8]) -> [UInt8] { message.dropLast() + [message[message.count - 1] ^ 1] }
        if isInitiator {
            for bytes in [change(pair.answer), pair.answer, []] {
                #expect(alice.hears(bytes) == Answer(fault: .tampered))
            }
            #expect(TamperingTests.fault(agreeingTo: alice, &output) == .tampered)
        } else {
            for bytes in [change(pair.proof), pair.proof, []] {
                #expect(bob.hears(bytes) == Answer(fault: .tampered))
            }
            #expect(TamperingTests.fault(agreeingTo: bob, &output) == .tampered)
        }
        #expect(output.isEmpty)
    }

    private static func fault(agreeingTo handshake: consuming SecureHandshake, _ output: inout ByteWriter)
        -> SecureFault?
    {
        do throws(SecureFault) {
            _ = try handshake.agree(into: &output, at: .zero)
            return nil
        } catch {
            return error
        }
    }

    @Test("a whole handshake played back meets nobody, for the ephemeral key is another one")
    func replay() throws {
        let pair = try Pair()
        var bob = SecureHandshake(
            respondingAs: try Known.bob.identity(),
            swarmKeys: [],
            acceptsOpen: true,
            greeting: Known.greeting(port: nil),
            now: .zero
        )
        #expect(bob.hears(pair.hello).sent.count == 280)
        #expect(bob.hears(pair.proof) == Answer(fault: .tampered))
    }

    /// 0, 1, the two points of order 8, and p - 1, p, p + 1.
    static let weakPoints = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ]

    @Test("N25: a weak ephemeral key is refused by both sides, and answered with nothing", arguments: weakPoints)
    func weakEphemeralKeys(point: String) throws {
        let point = try #require(Hex.decode(point))
        var alice = try Known.alice.initiating()
        let hello = try alice.opens()
        var bob = try Known.bob.responding()
        #expect(bob.hears(Array(hello.prefix(14)) + point) == Answer(fault: .weakPublicKey))
        let answer: [UInt8] = [0, 0, 128] + point + [UInt8](repeating: 5, count: 96)
        #expect(alice.hears(answer) == Answer(fault: .weakPublicKey))
    }

    @Test("N25: a weak key that lasts is refused by both sides", arguments: weakPoints)
    func weakStaticKeys(point: String) throws {
        let point = try #require(Hex.decode(point))
        var alice = try Known.alice.initiating()
        let hello = try alice.opens()
        // Someone with an ephemeral key like everybody's, and for the other one just a point.
        var impostor = try TamperingTests.impostor(after: hello)
        var message = ByteWriter()
        let key = try impostor.makeEphemeral(try Known.bob.ephemeral())
        key.value.write(to: &message)
        impostor.mixHash(key.bytes.span.bytes)
        let remote = try Known.alice.ephemeral().publicKey
        try impostor.mixAgreement(nil, with: remote)
        try impostor.encryptAndHash(point.span.bytes, into: &message)
        message.append([UInt8](repeating: 5, count: 16))
        #expect(alice.hears([0, 0, UInt8(message.count)] + message.bytes) == Answer(fault: .weakPublicKey))
    }

    @Test("N25: a weak key that lasts, of one who begins", arguments: weakPoints)
    func weakInitiator(point: String) throws {
        let point = try #require(Hex.decode(point))
        var alice = try Known.alice.initiating()
        var bob = try Known.bob.responding()
        let hello = try alice.opens()
        let answer = bob.hears(hello).sent.dropFirst(3)
        // Someone who does all that Alice does, up to the key that lasts.
        var impostor = try TamperingTests.impostor(after: hello)
        let ephemeral = Array(answer.prefix(32))
        let remote = X25519.PublicKey(ephemeral.span.bytes)
        _ = try impostor.makeEphemeral(try Known.alice.ephemeral())
        impostor.mixHash(ephemeral.span.bytes)
        try impostor.mixAgreement(nil, with: try #require(remote))
        let staticKey = try impostor.decryptAndHash(Array(answer.dropFirst(32).prefix(48)).span.bytes)
        let lasting = X25519.PublicKey(staticKey.span.bytes)
        try impostor.mixAgreement(nil, with: try #require(lasting))
        _ = try impostor.decryptAndHash(Array(answer.dropFirst(80)).span.bytes)
        var message = ByteWriter()
        try impostor.encryptAndHash(point.span.bytes, into: &message)
        message.append([UInt8](repeating: 5, count: 48))
        #expect(bob.hears([0, UInt8(message.count)] + message.bytes) == Answer(fault: .weakPublicKey))
    }

    /// The state of either side after message 1.
    private static func impostor(after hello: [UInt8]) throws -> SymmetricState {
        var state = try SymmetricState(protocolName: HandshakePattern.xx.protocolName)
        state.mixHash(Array(hello.prefix(14)).span.bytes)
        state.mixHash(Array(hello.dropFirst(14)).span.bytes)
        state.mixHash(RawSpan())
        return state
    }
}
