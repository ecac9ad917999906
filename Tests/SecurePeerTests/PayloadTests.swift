import Bencode
import Primitives
import Testing

@testable import SecurePeer

@Suite("Payloads of the handshake")
struct PayloadTests {
    static func payload(_ text: String, isInitiator: Bool = false) throws(PayloadFault) -> Payload {
        let bytes = Array(text.utf8)
        return try Payload(bytes.span.bytes, isInitiator: isInitiator, limits: SecureLimits())
    }

    static func fault(_ text: String, isInitiator: Bool = false) -> PayloadFault? {
        do throws(PayloadFault) {
            _ = try payload(text, isInitiator: isInitiator)
            return nil
        } catch {
            return error
        }
    }

    @Test("need a certificate and capabilities; a name may be missing or have 32 bytes; other keys are passed over")
    func fields() throws {
        let payload = try PayloadTests.payload("d1:c3:abc1:f8:\0\0\0\0\0\0\0\u{5}e")
        #expect(payload.certificate == Array("abc".utf8))
        #expect(payload.greeting == Greeting(capabilities: 5, client: "", listenPort: nil))
        let name = String(repeating: "n", count: 32)
        let other = try PayloadTests.payload(
            "d1:a0:1:bllleee1:c3:abc1:f8:\0\0\0\0\0\0\0\u{5}1:li0e1:si9e1:v32:\(name)1:zdee"
        )
        #expect(other.greeting.client == name && other.swarm == nil && other.greeting.listenPort == nil)
    }

    @Test(
        "are refused where a field is missing or has a value that it cannot have",
        arguments: [
            ("de", .missing("c")), ("d1:c0:e", .missing("f")), ("d1:f8:12345678e", .missing("c")),
            ("d1:c0:1:f7:1234567e", .invalid("f")), ("d1:c0:1:f9:123456789e", .invalid("f")),
            ("d1:c0:1:f8:123456781:v33:123456789012345678901234567890123e", .invalid("v")),
        ] as [(String, PayloadFault)]
    )
    func refused(text: String, fault: PayloadFault) {
        #expect(PayloadTests.fault(text) == fault)
    }

    static let tag = "20:aaaaaaaaaaaaaaaaaaaa"

    @Test(
        "of an initiator have a port and a swarm",
        arguments: [
            ("", .missing("l")), ("1:li6881e", .missing("s")), ("1:li0e1:s\(tag)", .invalid("l")),
            ("1:li-1e1:s\(tag)", .invalid("l")), ("1:li65536e1:s\(tag)", .invalid("l")), ("1:li1e1:s0:", .invalid("s")),
            ("1:li1e1:s21:aaaaaaaaaaaaaaaaaaaaa", .invalid("s")), ("1:li1e1:s\(tag)", nil),
            ("1:li65535e1:s\(tag)", nil),
        ] as [(String, PayloadFault?)]
    )
    func initiator(fields: String, fault: PayloadFault?) {
        #expect(PayloadTests.fault("d1:c0:1:f8:12345678\(fields)e", isInitiator: true) == fault)
    }

    @Test(
        "are bencode in its only form",
        arguments: [
            ("", BencodeError(.truncated, at: 0)), ("le", .init(.expected(.dictionary), at: 0)),
            ("d1:f8:123456781:c0:e", .init(.keyOutOfOrder, at: 14)),
            ("d1:c0:1:c0:1:f8:12345678e", .init(.keyOutOfOrder, at: 6)),
            ("d1:c0:1:f8:12345678e0:", .init(.trailingBytes, at: 20)),
            ("d1:ci1e1:f8:12345678e", .init(.expected(.string), at: 4)),
            ("d1:allllleeeee1:c0:1:f8:12345678e", .init(.deeperThan(4), at: 7)),
            ("d1:c0:1:f8:1234567", .init(.stringPastEnd(length: 8), at: 9)),
            ("d2:01", .init(.truncated, at: 5)), ("d01:ce", .init(.malformedStringLength, at: 1)),
        ] as [(String, BencodeError)]
    )
    func bencode(text: String, error: BencodeError) {
        #expect(PayloadTests.fault(text) == .bencode(error))
    }

    @Test("what is written is read, on either side")
    func roundTrip() throws {
        let swarm = SwarmTag(UInt160(high: 1, middle: 2, low: 3))
        let greeting = Greeting(capabilities: .max, client: "shoal 1.0 ü", listenPort: 1)
        let payload = Payload(certificate: [1, 2, 3], greeting: greeting, swarm: swarm)
        let read = try Payload(payload.bytes.span.bytes, isInitiator: true, limits: SecureLimits())
        #expect(read == payload)
    }
}
