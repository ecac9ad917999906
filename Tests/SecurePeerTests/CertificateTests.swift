import Cryptography
import Primitives
import Testing

@testable import SecurePeer

@Suite("Certificates")
struct CertificateTests {
    static let now = UInt64(Known.unixSeconds)
    static let day: UInt64 = 86_400

    static func bytes(from notBefore: UInt64, to notAfter: UInt64) throws -> [UInt8] {
        let key = try Person.privateKey(Known.alice.staticKey).publicKey
        let certificate = Certificate(
            of: key,
            notBefore: notBefore,
            notAfter: notAfter,
            by: try Known.alice.signingKey()
        )
        return try #require(certificate).bytes
    }

    /// What is wrong with it; `nil` for nothing.
    static func fault(
        of bytes: [UInt8],
        for staticKey: X25519.PublicKey? = nil,
        at unixSeconds: Int64 = Known.unixSeconds
    ) throws -> CertificateFault? {
        let key = try staticKey ?? Person.privateKey(Known.alice.staticKey).publicKey
        do throws(CertificateFault) {
            let certificate = try Certificate(bytes.span.bytes, for: key, at: unixSeconds)
            #expect(certificate.bytes == bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "N26: are good for at most 30 days, and an hour around them, whatever 64 bits the dates are",
        arguments: [
            (now, now + 7 * day, nil), (now, now + 30 * day, nil), (now, now + 30 * day + 1, .validTooLong),
            (now, now + 31 * day, .validTooLong), (now, now, .datesReversed), (now + 1, now, .datesReversed),
            (0, UInt64.max, .validTooLong), (UInt64.max, 0, .datesReversed),
            (0, 1, .notValidNow(offBySeconds: now - 1)),
            (UInt64.max - 1, .max, .notValidNow(offBySeconds: .max - 1 - now)),
            (UInt64(1) << 63, UInt64(1) << 63 + day, .notValidNow(offBySeconds: UInt64(1) << 63 - now)),
            (now + 3600, now + day, nil), (now + 3601, now + day, .notValidNow(offBySeconds: 3601)),
            (now - day, now - 3600, nil), (now - day, now - 3601, .notValidNow(offBySeconds: 3601)),
        ] as [(UInt64, UInt64, CertificateFault?)]
    )
    func dates(notBefore: UInt64, notAfter: UInt64, fault: CertificateFault?) throws {
        let bytes = try CertificateTests.bytes(from: notBefore, to: notAfter)
        #expect(try CertificateTests.fault(of: bytes) == fault)
    }

    @Test("a clock before 1970 or at its end makes none and takes none", arguments: [.min, -1, .max] as [Int64])
    func clocks(unixSeconds: Int64) throws {
        let key = try Person.privateKey(1)
        #expect(SessionIdentity(try Known.alice.signingKey(), at: unixSeconds, staticKey: key) == nil)
        let bytes = try CertificateTests.bytes(from: CertificateTests.now, to: CertificateTests.now + 1)
        guard case .notValidNow = try CertificateTests.fault(of: bytes, at: unixSeconds) else {
            Issue.record("taken at \(unixSeconds)")
            return
        }
    }

    @Test("N26: certify one session key and no other")
    func otherKey() throws {
        let bytes = try Known.alice.identity().certificate.bytes
        let other = try Person.privateKey(Known.bob.staticKey).publicKey
        #expect(try CertificateTests.fault(of: bytes, for: other) == .otherStaticKey)
    }

    @Test("N26: cannot be changed in a bit", arguments: 0..<8)
    func bits(bit: Int) throws {
        let bytes = try Known.alice.identity().certificate.bytes
        for byte in bytes.indices {
            var other = bytes
            other[byte] ^= 1 << UInt8(bit)
            #expect(try CertificateTests.fault(of: other) != nil, "byte \(byte)")
        }
    }

    @Test("have one length", arguments: [0, 4, 147, 149, 1024])
    func lengths(length: Int) throws {
        let bytes = try Known.alice.identity().certificate.bytes
        let other = Array((bytes + [UInt8](repeating: 0, count: 1024)).prefix(length))
        #expect(try CertificateTests.fault(of: other) == .length(length))
    }

    @Test("N26: a signature whose scalar has the group's order added is another one, and refused")
    func unreducedScalar() throws {
        var bytes = try Known.alice.identity().certificate.bytes
        #expect(try CertificateTests.fault(of: bytes) == nil)
        let order = try #require(Hex.decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"))
        var carry = 0
        for (index, byte) in order.enumerated() {
            let sum = Int(bytes[116 + index]) + Int(byte) + carry
            bytes[116 + index] = UInt8(truncatingIfNeeded: sum)
            carry = sum >> 8
        }
        // It still fits its 32 bytes: nothing but the check of its range can find it.
        #expect(carry == 0)
        #expect(try CertificateTests.fault(of: bytes) == .signature)
    }

    @Test("N26: a key of small order signs everything, and nothing that we believe", arguments: ["01", "00", "ec"])
    func smallOrder(first: String) throws {
        var bytes = try Known.alice.identity().certificate.bytes
        let tail = first == "ec" ? String(repeating: "ff", count: 30) + "7f" : String(repeating: "00", count: 31)
        let point = try #require(Hex.decode(first + tail))
        bytes.replaceSubrange(4..<36, with: point)
        // The neutral point and 0 are a signature under the neutral key, of anything.
        bytes.replaceSubrange(84..<148, with: [1] + [UInt8](repeating: 0, count: 63))
        #expect(try CertificateTests.fault(of: bytes) == .signature)
    }

    @Test("are renewed after a day, and last a week")
    func renewal() throws {
        let identity = try Known.alice.identity()
        // A day later there is another one, and at once where the clock was set back.
        let ages: [Int64] = [-1, 0, 86_399, 86_400]
        #expect(ages.map { identity.isCurrent(at: Known.unixSeconds + $0) } == [false, true, true, false])
        #expect(identity.certificate.notAfter - identity.certificate.notBefore == 7 * CertificateTests.day)
    }

    @Test(
        "N54: say how far off the clocks are",
        arguments: [
            (172_800, "~2 d"), (172_800 - 40_000, "~2 d"), (86_400, "~24 h"), (3 * 86_400 + 43_200, "~4 d"),
            (5400, "~2 h"), (3601, "~60 min"), (20, "~20 s"), (UInt64.max, "~213503982334601 d"),
        ] as [(UInt64, String)]
    )
    func offBy(seconds: UInt64, text: String) {
        let fault = SecureFault.certificate(.notValidNow(offBySeconds: seconds))
        #expect("\(fault)" == "peer certificate: not valid at local time (off by \(text))")
    }
}

@Suite("Certificates in the handshake")
struct CertificateExchangeTests {
    /// Alice as she is at another time than Bob.
    static func alice(at unixSeconds: Int64) throws -> SecureHandshake {
        let handshake = SecureHandshake(
            initiating: try Known.swarm(),
            as: try Known.alice.identity(at: unixSeconds),
            mode: .open,
            greeting: Known.greeting(),
            now: .zero
        )
        guard let handshake else { throw SecureFault.outOfMemory }
        return handshake
    }

    @Test("N26, N54: a responder says why in the only record of the session")
    func responder() throws {
        let days: Int64 = 2 * 86_400
        var alice = try CertificateExchangeTests.alice(at: Known.unixSeconds + days)
        var bob = try Known.bob.responding()
        let met = alice.hears(bob.hears(try alice.opens()).sent, unixSeconds: Known.unixSeconds + days)
        #expect(met.event != nil)
        var output = ByteWriter()
        var session = try alice.agree(into: &output, at: .zero)
        let heard = bob.hears(output.bytes)
        #expect(heard.event == nil)
        #expect(heard.fault == .certificate(.notValidNow(offBySeconds: 172_800)))
        #expect(session.hears(heard.sent) == .close(.certificate, ""))
    }

    @Test("N26, N54: an initiator says nothing, and least of all who it is")
    func initiator() throws {
        let days: Int64 = 9 * 86_400
        var alice = try CertificateExchangeTests.alice(at: Known.unixSeconds + days)
        var bob = try Known.bob.responding()
        let met = alice.hears(bob.hears(try alice.opens()).sent, unixSeconds: Known.unixSeconds + days)
        // Bob's lasts seven days.
        #expect(met == Answer(fault: .certificate(.notValidNow(offBySeconds: 172_800))))
        var output = ByteWriter()
        do throws(SecureFault) {
            _ = try alice.agree(into: &output, at: .zero)
            Issue.record("agreed with nobody")
        } catch {
            #expect(error == .certificate(.notValidNow(offBySeconds: 172_800)))
        }
        #expect(output.isEmpty)
    }

    @Test("N28: our own key is no peer: who dialled says nothing more")
    func ownKey() throws {
        var alice = try Known.alice.initiating()
        var bob = try Person(seed: Known.alice.seed, staticKey: 0xa0, ephemeralKey: 0x30).responding()
        #expect(alice.hears(bob.hears(try alice.opens()).sent) == Answer(fault: .connectedToSelf))
    }

    @Test("N28: our own key is no peer: who was dialled closes for that reason, should the other not notice")
    func ownKeyUnnoticed() throws {
        // A pair of session keys that two identities certify: the responder shows the one, and meets the other.
        let twin = Person(seed: Known.bob.seed, staticKey: 0xa0, ephemeralKey: 0x30)
        var mirror = try Known.bob.responding()
        var alice = try twin.initiating()
        let answer = mirror.hears(try alice.opens()).sent
        var state = try CertificateExchangeTests.unnoticing(twin)
        var output = ByteWriter()
        try state.write(RawSpan(), into: &output)
        _ = try state.read(Array(answer.dropFirst(3)).span.bytes)
        output.removeAll()
        let payload = Payload(
            certificate: try twin.identity().certificate.bytes,
            greeting: Known.greeting(),
            swarm: try Known.swarm()
        )
        try state.write(payload.bytes.span.bytes, into: &output)
        let heard = mirror.hears([UInt8(output.count >> 8), UInt8(output.count & 255)] + output.bytes)
        #expect(heard.fault == .connectedToSelf && heard.event == nil)
        // A close record without a text: 2 + 16 + 2 bytes.
        #expect(heard.sent.count == 20)
    }

    /// An initiator of the bare protocol, which checks nothing.
    private static func unnoticing(_ person: Person) throws -> HandshakeState {
        var header = ByteWriter()
        Hello.writeHeader(.open, to: &header)
        return try HandshakeState(
            .xx,
            as: .initiator,
            prologue: header.bytes.span.bytes,
            staticKey: try Person.privateKey(person.staticKey),
            ephemeralKey: try person.ephemeral()
        )
    }

    @Test("N31: the initiator's swarm is for the driver to find, which may refuse it with a reason")
    func unknownSwarm() throws {
        var alice = try Known.alice.initiating()
        var bob = try Known.bob.responding()
        _ = alice.hears(bob.hears(try alice.opens()).sent)
        var output = ByteWriter()
        var alices = try alice.agree(into: &output, at: .zero)
        #expect(bob.hears(output.bytes).event?.swarm == (try Known.swarm()))
        output.removeAll()
        var bobs = try bob.agree(into: &output, at: .zero)
        try bobs.closing(.swarm, "unknown swarm", into: &output)
        #expect(alices.hears(output.bytes) == .close(.swarm, "unknown swarm"))
    }
}
