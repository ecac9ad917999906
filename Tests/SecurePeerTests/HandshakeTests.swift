import Cryptography
import Primitives
import Testing

@testable import SecurePeer

@Suite("The handshake of SPS/1")
struct HandshakeTests {
    @Test("introduces both sides, and what one says the other reads")
    func introduction() throws {
        var alice = try Known.alice.initiating()
        var bob = try Known.bob.responding()
        let bobsKey = try Known.bob.signingKey().publicKey
        let alicesKey = try Known.alice.signingKey().publicKey

        let hello = try alice.opens()
        #expect(try alice.opens() == [])
        let answer = bob.hears(hello)
        #expect(answer.event == nil && answer.consumed == 46 && answer.sent.count == 280)
        let met = alice.hears(answer.sent)
        #expect(
            met.event == RemotePeer(key: bobsKey, mode: .open, greeting: Known.greeting(port: nil), swarm: nil)
        )
        // Nothing of ours is said before the driver has agreed.
        #expect(met.sent.isEmpty && met.consumed == 280)
        var output = ByteWriter()
        var alicesSession = try alice.agree(into: &output, at: .zero)
        let heard = bob.hears(output.bytes)
        #expect(
            heard.event
                == RemotePeer(key: alicesKey, mode: .open, greeting: Known.greeting(), swarm: try Known.swarm())
        )
        #expect(heard.sent.isEmpty && heard.consumed == 282)
        var bobsSession = try bob.agree(into: &output, at: .zero)
        #expect(alicesSession.remote.key == bobsKey && bobsSession.remote.key == alicesKey)
        #expect(bobsSession.hears(try alicesSession.says([1, 2])) == .data([1, 2], consumed: 21))
        #expect(alicesSession.hears(try bobsSession.says([3])) == .data([3], consumed: 20))
    }

    @Test("meets nobody sooner for reading byte by byte, and reads no record with message 3")
    func pieces() throws {
        var alice = try Known.alice.initiating()
        var bob = try Known.bob.responding()
        let hello = try alice.opens()
        for count in 0..<hello.count { #expect(bob.hears(Array(hello.prefix(count))) == Answer()) }
        let answer = bob.hears(hello).sent
        for count in 0..<answer.count {
            #expect(alice.hears(Array(answer.prefix(count))) == Answer())
            #expect(alice.neededByteCount > count)
        }
        #expect(alice.hears(answer).consumed == answer.count)
        var output = ByteWriter()
        var session = try alice.agree(into: &output, at: .zero)
        let proof = output.bytes
        for count in 0..<proof.count {
            #expect(bob.hears(Array(proof.prefix(count))) == Answer())
            #expect(bob.neededByteCount > count)
        }
        // The first record follows in the same write.
        let record = try session.says([7])
        let heard = bob.hears(proof + record)
        #expect(heard.event != nil && heard.consumed == proof.count)
        var bobs = try bob.agree(into: &output, at: .zero)
        #expect(bobs.hears(record) == .data([7], consumed: 20))
    }

    @Test("needs a port of the one who begins", arguments: [nil, 0] as [UInt16?])
    func port(port: UInt16?) throws {
        let swarm = try Known.swarm()
        let handshake = SecureHandshake(
            initiating: swarm,
            as: try Known.alice.identity(),
            mode: .open,
            greeting: Known.greeting(port: port),
            now: .zero
        )
        let isMade = handshake != nil
        #expect(!isMade)
    }

    @Test("makes other ephemeral keys each time")
    func ephemeralKeys() throws {
        func hello() throws -> [UInt8] {
            let handshake = SecureHandshake(
                initiating: try Known.swarm(),
                as: try Known.alice.identity(),
                mode: .open,
                greeting: Known.greeting(),
                now: .zero
            )
            guard var handshake else { throw SecureFault.outOfMemory }
            return try handshake.opens()
        }
        let (first, second) = (try hello(), try hello())
        #expect(first.prefix(14) == second.prefix(14))
        #expect(first != second)
    }

    // MARK: What a responder refuses

    @Test(
        "N23: refuses a hello of another version, suite or mode with its status, and any other error without a word",
        arguments: [
            (8, 0, SecureFault.refused(.version)), (8, 2, .refused(.version)), (9, 0, .refused(.suite)),
            (9, 2, .refused(.suite)), (9, 9, .refused(.suite)), (10, 1, .refused(.mode)), (10, 7, .refused(.mode)),
            (11, 1, .malformedHello), (12, 1, .malformedHello), (13, 31, .malformedHello), (13, 33, .malformedHello),
            (13, 48, .malformedHello),
        ] as [(Int, UInt8, SecureFault)]
    )
    func hello(offset: Int, byte: UInt8, fault: SecureFault) throws {
        var alice = try Known.alice.initiating()
        var hello = try alice.opens()
        hello[offset] = byte
        var bob = try Known.bob.responding()
        // Said as soon as the byte is there; of the length both have to be.
        let answer = bob.hears(Array(hello.prefix(max(offset, offset == 12 ? 13 : 0) + 1)))
        #expect(answer.fault == fault && answer.event == nil)
        if case .refused(let status) = fault {
            #expect(answer.sent == [status.rawValue, 0, 0])
        } else {
            #expect(answer.sent.isEmpty)
        }
        // No key was computed with: there is not even a place for one yet.
        let hasKeys = bob.noise != nil
        #expect(!hasKeys)
    }

    @Test("refuses in the order version, suite, mode, reserved byte, length, busy")
    func order() throws {
        var wrong: [UInt8] = Opening.magic.bytes + [2, 2, 2, 2, 0, 0]
        func fault(isBusy: Bool = true) throws -> SecureFault? {
            var bob = try Known.bob.responding(isBusy: isBusy)
            return bob.hears(wrong).fault
        }
        #expect(try fault() == .refused(.version))
        wrong[8] = 1
        #expect(try fault() == .refused(.suite))
        wrong[9] = 1
        #expect(try fault() == .refused(.mode))
        wrong[10] = 0
        #expect(try fault() == .malformedHello)
        wrong[11] = 0
        #expect(try fault() == .malformedHello)
        wrong[13] = 32
        #expect(try fault() == .refused(.busy))
        #expect(try fault(isBusy: false) == nil)
    }

    @Test(
        "says nothing to what is no hello",
        arguments: ["\u{13}BitTorrent protocol", "\u{14}SecPeex", "GET / HTTP/1.1"]
    )
    func otherProtocols(text: String) throws {
        var bob = try Known.bob.responding()
        #expect(bob.hears(Array(text.utf8)) == Answer(fault: .notSecure))
    }

    @Test("does two agreements for an answer, and one more to know who it was")
    func agreements() throws {
        var alice = try Known.alice.initiating()
        var bob = try Known.bob.responding()
        let answer = bob.hears(try alice.opens()).sent
        #expect(bob.noise?.agreementCount == 2)
        _ = alice.hears(answer)
        var output = ByteWriter()
        _ = try alice.agree(into: &output, at: .zero)
        _ = bob.hears(output.bytes)
        #expect(bob.noise?.agreementCount == 3)
    }

    // MARK: What an initiator is answered

    @Test(
        "takes a status at its word, and anything else for another protocol",
        arguments: [
            (1, .status(.version)), (2, .status(.suite)), (3, .status(.mode)), (4, .status(.busy)), (5, .notSecure),
            (0x13, .notSecure), (0x14, .notSecure), (0xff, .notSecure),
        ] as [(UInt8, SecureFault)]
    )
    func status(byte: UInt8, fault: SecureFault) throws {
        var alice = try Known.alice.initiating()
        _ = try alice.opens()
        #expect(alice.hears([byte]) == Answer(fault: fault))
    }

    @Test("reads no message 2 or 3 of a length that none has", arguments: [0, 95, 1025, 65_535] as [UInt16])
    func lengths(length: UInt16) throws {
        let bytes = [UInt8(length >> 8), UInt8(truncatingIfNeeded: length)]
        var alice = try Known.alice.initiating()
        let hello = try alice.opens()
        #expect(alice.hears([0] + bytes).fault == .messageLength(Int(length)))
        var bob = try Known.bob.responding()
        _ = bob.hears(hello)
        #expect(bob.hears(bytes).fault == .messageLength(Int(length)))
    }

    // MARK: Private swarms

    @Test("N29: a private hello finds its key among sixteen, and the session is of that swarm", arguments: [0, 9, 15])
    func privateSwarm(place: Int) throws {
        let key = try Known.swarmKey(7)
        var keys = try (0..<15).map { try Known.swarmKey(100 + UInt8($0)) }
        keys.insert(key, at: place)
        var alice = try Known.alice.initiating(.privateSwarm(key))
        var bob = try Known.bob.responding(swarmKeys: keys, acceptsOpen: false)
        let met = alice.hears(bob.hears(try alice.opens()).sent)
        #expect(met.event?.mode == .privateSwarm(key))
        var output = ByteWriter()
        _ = try alice.agree(into: &output, at: .zero)
        #expect(bob.hears(output.bytes).event?.mode == .privateSwarm(key))
    }

    @Test("N29: a private hello that fits no key, or only the seventeenth, gets no byte")
    func wrongKey() throws {
        var alice = try Known.alice.initiating(.privateSwarm(Known.swarmKey(7)))
        let hello = try alice.opens()
        var bob = try Known.bob.responding(swarmKeys: [Known.swarmKey(8)], acceptsOpen: true)
        #expect(bob.hears(hello) == Answer(fault: .noSwarmKeyFits))
        let many = try (0..<16).map { try Known.swarmKey(100 + UInt8($0)) } + [Known.swarmKey(7)]
        var carol = try Known.bob.responding(swarmKeys: many)
        #expect(carol.hears(hello) == Answer(fault: .noSwarmKeyFits))
    }

    @Test("N29: a private hello to an open node, and an open one to a node of private swarms, get status 03")
    func otherMode() throws {
        var alice = try Known.alice.initiating(.privateSwarm(Known.swarmKey(7)))
        var bob = try Known.bob.responding()
        #expect(bob.hears(try alice.opens()) == Answer(sent: [3, 0, 0], fault: .refused(.mode)))
        var carol = try Known.alice.initiating()
        var dave = try Known.bob.responding(swarmKeys: [Known.swarmKey(7)], acceptsOpen: false)
        #expect(dave.hears(try carol.opens()) == Answer(sent: [3, 0, 0], fault: .refused(.mode)))
    }

    @Test("N29: who answers a private hello without the key meets nobody")
    func falseAnswer() throws {
        let (key, wrong) = (try Known.swarmKey(7), try Known.swarmKey(8))
        var alice = try Known.alice.initiating(.privateSwarm(key))
        _ = try alice.opens()
        // An answer to a hello of another swarm, and one to an open hello.
        var other = try Known.alice.initiating(.privateSwarm(wrong))
        var bob = try Known.bob.responding(swarmKeys: [wrong])
        #expect(alice.hears(bob.hears(try other.opens()).sent) == Answer(fault: .tampered))
    }

    // MARK: Deadlines

    @Test("N22: a hello has five seconds for its first eight bytes, and ten for everything")
    func responderDeadlines() throws {
        let accepted = Instant.zero + .seconds(100)
        var alice = try Known.alice.initiating()
        let hello = try alice.opens()
        var bob = try Known.bob.responding(at: accepted)
        for second in 0..<5 {
            let now = accepted + .seconds(second)
            #expect(bob.hears(Array(hello.prefix(second + 1)), at: now) == Answer())
            try bob.advanced(to: now)
        }
        #expect(bob.nextDeadline == accepted + .seconds(5))
        #expect(throws: SecureFault.handshakeTimedOut) { try bob.advanced(to: accepted + .seconds(5)) }

        var carol = try Known.bob.responding(at: accepted)
        #expect(carol.hears(Array(hello.prefix(8)), at: accepted + .seconds(4)) == Answer())
        #expect(carol.nextDeadline == accepted + .seconds(10))
        try carol.advanced(to: accepted + .milliseconds(9999))
        #expect(throws: SecureFault.handshakeTimedOut) { try carol.advanced(to: accepted + .seconds(10)) }
    }

    @Test("who answers a hello has four seconds for the first byte, and ten for everything")
    func initiatorDeadlines() throws {
        var alice = try Known.alice.initiating(at: .zero + .seconds(100))
        _ = try alice.opens()
        #expect(alice.nextDeadline == .zero + .seconds(104))
        #expect(throws: SecureFault.handshakeTimedOut) { try alice.advanced(to: .zero + .seconds(104)) }
        #expect(alice.hears([0], at: .zero + .seconds(103)) == Answer())
        #expect(alice.nextDeadline == .zero + .seconds(110))
        #expect(throws: SecureFault.handshakeTimedOut) { try alice.advanced(to: .zero + .seconds(110)) }
    }
}

@Suite("The first bytes of a connection")
struct OpeningTests {
    @Test("tell which protocol it is at the first byte that can", arguments: [0x13, 0x14] as [UInt8])
    func prefixes(first: UInt8) {
        let text = first == 0x13 ? "\u{13}BitTorrent protocol" : "\u{14}SecPeer"
        let bytes = Array(text.utf8)
        for count in 0..<bytes.count {
            #expect(Opening(Array(bytes.prefix(count)).span.bytes) == .undecided)
            var wrong = Array(bytes.prefix(count + 1))
            wrong[count] ^= 0x80
            #expect(Opening(wrong.span.bytes) == .unknown)
        }
        #expect(Opening(bytes.span.bytes) == (first == 0x13 ? .plain : .secure))
        #expect(Opening((bytes + [1, 2, 3]).span.bytes) == (first == 0x13 ? .plain : .secure))
    }
}
