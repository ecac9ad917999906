import PortMapping
import Primitives
import Testing

/// A gateway that answers NAT-PMP, as the test says.
struct Gateway {
    static let address = IPAddress.v4(0xc0a8_0101)
    var endpoint = Endpoint(Gateway.address, 5351)
    var publicAddress: UInt32 = 0x0500_0001
    var lifetime: UInt32 = 7200
    /// When its tables were made.
    var startedAt = Instant.zero
    /// External ports other than those wished for.
    var ports: [MappedTransport: UInt16] = [:]
    /// Result codes by opcode.
    var codes: [UInt8: UInt16] = [:]

    func answer(_ question: [UInt8], at now: Instant) -> [UInt8] {
        let opcode = question[1]
        let code = codes[opcode] ?? 0
        var writer = ByteWriter()
        writer.append([0, opcode | 0x80])
        writer.bigEndian(code)
        writer.bigEndian(UInt32(clamping: (now - startedAt).components.seconds))
        if opcode == 0 {
            writer.bigEndian(code == 0 ? publicAddress : 0)
            return writer.bytes
        }
        let transport: MappedTransport = opcode == 1 ? .udp : .tcp
        writer.append(question[4..<6])
        if let port = ports[transport] { writer.bigEndian(port) } else { writer.append(question[6..<8]) }
        writer.bigEndian(question[8..<12].allSatisfy { $0 == 0 } || code != 0 ? 0 : lifetime)
        return writer.bytes
    }
}

/// A client in simulated time, and what it asked.
struct NATPMPDialogue {
    var client = NATPMPClient(port: 6881, gateway: Gateway.address)
    var gateway: Gateway? = Gateway()
    var now = Instant.zero
    private(set) var asked: [[UInt8]] = []

    init(_ change: (inout Gateway) -> Void = { _ in }) {
        var gateway = Gateway()
        change(&gateway)
        self.gateway = gateway
        client.start(at: now)
        deliver()
    }

    /// Answers everything there is to answer.
    mutating func deliver() {
        while case let actions = client.takeActions(), !actions.isEmpty {
            for case .send(let question, let place) in actions {
                #expect(place == Endpoint(Gateway.address, 5351))
                asked.append(question)
                guard let gateway else { continue }
                client.datagramArrived(gateway.answer(question, at: now).span.bytes, from: gateway.endpoint, at: now)
            }
        }
    }

    /// Lets time pass, from deadline to deadline.
    mutating func pass(_ duration: Duration) {
        let end = now + duration
        while let deadline = client.deadline, deadline <= end {
            now = deadline
            client.tick(at: now)
            deliver()
        }
        now = end
    }

    mutating func takeAsked() -> [[UInt8]] {
        defer { asked = [] }
        return asked
    }

    var mapped: String {
        guard case .mapped(let tcp, let udp, let address) = client.state else { return "\(client.state)" }
        return "\(address?.description ?? "?") \(tcp.externalPort) \(udp.externalPort) \(tcp.means.rawValue)"
    }
}

@Suite("NAT-PMP")
struct NATPMPTests {
    private static let lifetime: [UInt8] = [0, 0, 0x1c, 0x20]

    @Test("asks for the address and the port in both transports, as RFC 6886 writes it, and renews after an hour")
    func mapping() {
        var dialogue = NATPMPDialogue()
        #expect(dialogue.mapped == "5.0.0.1 6881 6881 NAT-PMP")
        let questions: [[UInt8]] = [
            [0, 0], [0, 2, 0, 0, 0x1a, 0xe1, 0x1a, 0xe1] + NATPMPTests.lifetime,
            [0, 1, 0, 0, 0x1a, 0xe1, 0x1a, 0xe1] + NATPMPTests.lifetime,
        ]
        #expect(dialogue.takeAsked() == questions)
        dialogue.pass(.seconds(3599))
        #expect(dialogue.takeAsked() == Array(repeating: [0, 0], count: 59))
        dialogue.pass(.seconds(1))
        #expect(dialogue.takeAsked() == questions)
    }

    @Test("takes another external port, and wishes for the same in the other transport and the next time")
    func otherPort() {
        var dialogue = NATPMPDialogue { $0.ports[.tcp] = 40_000 }
        #expect(dialogue.mapped == "5.0.0.1 40000 40000 NAT-PMP")
        dialogue.pass(.seconds(3600))
        #expect(dialogue.asked.last?[6..<8] == [0x9c, 0x40])
    }

    @Test("asks a silent gateway three times, and waits longer each time")
    func silence() {
        var dialogue = NATPMPDialogue()
        dialogue.gateway = nil
        dialogue.client = NATPMPClient(port: 6881, gateway: Gateway.address)
        dialogue.client.start(at: dialogue.now)
        dialogue.deliver()
        dialogue.pass(.milliseconds(1749))
        #expect(dialogue.client.state == .searching)
        dialogue.pass(.milliseconds(1))
        #expect(dialogue.client.state == .failed(.noAnswer))
        #expect(dialogue.client.deadline == nil)
        #expect(dialogue.takeAsked().suffix(3) == [[0, 0], [0, 0], [0, 0]])
    }

    @Test(
        "a refusal of the gateway is told in words",
        arguments: [(1, "another version"), (2, "off"), (4, "room"), (5, "cannot"), (77, "77")] as [(UInt16, String)]
    )
    func refusals(code: UInt16, words: String) throws {
        let dialogue = NATPMPDialogue { $0.codes[2] = code }
        guard case .failed(.refused(let text)) = dialogue.client.state else {
            Issue.record("\(dialogue.client.state)")
            return
        }
        #expect(text.contains(words))
    }

    @Test("a gateway that speaks PCP alone refuses in the words of PCP")
    func otherVersion() {
        var dialogue = NATPMPDialogue()
        dialogue.gateway = nil
        dialogue.client = NATPMPClient(port: 6881, gateway: Gateway.address)
        dialogue.client.start(at: .zero)
        // RFC 6887, 7.2: version, opcode, reserved, UNSUPP_VERSION, lifetime, epoch, reserved.
        let refusal: [UInt8] = [2, 128, 0, 1, 0, 0, 7, 8, 0, 0, 0, 9] + [UInt8](repeating: 0, count: 12)
        for _ in 0..<2 {
            dialogue.client.datagramArrived(refusal.span.bytes, from: Endpoint(Gateway.address, 5351), at: .zero)
        }
        #expect(dialogue.client.state == .failed(.refused("it speaks another version of NAT-PMP")))
    }

    @Test("what was mapped before a refusal is taken back")
    func halfMapped() {
        let dialogue = NATPMPDialogue { $0.codes[1] = 4 }
        let ends: [[UInt8]] = [2, 1].map { [0, $0, 0, 0, 0x1a, 0xe1, 0, 0, 0, 0, 0, 0] }
        #expect(dialogue.asked.suffix(2) == ends)
    }

    @Test("a gateway without an address outside maps all the same")
    func noAddress() {
        #expect(NATPMPDialogue { $0.codes[0] = 3 }.mapped == "? 6881 6881 NAT-PMP")
        #expect(NATPMPDialogue { $0.publicAddress = 0 }.mapped == "? 6881 6881 NAT-PMP")
    }

    @Test("notices within a minute that the gateway has restarted or has another address")
    func changes() {
        var dialogue = NATPMPDialogue()
        dialogue.pass(.seconds(600))
        _ = dialogue.takeAsked()
        dialogue.gateway?.publicAddress = 0x0500_0002
        dialogue.pass(.seconds(60))
        #expect(dialogue.mapped == "5.0.0.2 6881 6881 NAT-PMP")
        #expect(dialogue.takeAsked() == [[0, 0]])
        dialogue.gateway?.startedAt = dialogue.now
        dialogue.pass(.seconds(60))
        #expect(dialogue.takeAsked().map { $0[1] } == [0, 2, 1])
    }

    @Test("forgives a clock that runs an eighth slower", arguments: [(660, 1), (651, 1), (650, 3), (0, 3)])
    func clocks(epoch: Int64, questions: Int) {
        var dialogue = NATPMPDialogue()
        dialogue.pass(.seconds(600))
        _ = dialogue.takeAsked()
        dialogue.gateway?.startedAt = dialogue.now + .seconds(60) - .seconds(epoch)
        dialogue.pass(.seconds(60))
        #expect(dialogue.takeAsked().count == questions)
    }

    @Test("a renewal that nobody answers is tried again each minute, until the lease ends")
    func lostRenewal() {
        var dialogue = NATPMPDialogue()
        dialogue.pass(.seconds(3500))
        dialogue.gateway = nil
        dialogue.pass(.seconds(3690))
        #expect(dialogue.mapped == "5.0.0.1 6881 6881 NAT-PMP")
        dialogue.pass(.seconds(15))
        #expect(dialogue.client.state == .failed(.noAnswer))
    }

    @Test("the end takes both mappings away")
    func release() {
        var dialogue = NATPMPDialogue()
        _ = dialogue.takeAsked()
        dialogue.client.release()
        dialogue.gateway = nil
        dialogue.deliver()
        let ends: [[UInt8]] = [2, 1].map { [0, $0, 0, 0, 0x1a, 0xe1, 0, 0, 0, 0, 0, 0] }
        #expect(dialogue.takeAsked() == ends)
        #expect(dialogue.client.deadline == nil)
    }

    @Test("what was asked for is taken away too where the answer was lost")
    func releaseUnanswered() {
        var dialogue = NATPMPDialogue { $0.codes[0] = 3 }
        dialogue.client = NATPMPClient(port: 6881, gateway: Gateway.address)
        dialogue.client.start(at: .zero)
        _ = dialogue.client.takeActions()
        dialogue.client.release()
        #expect(dialogue.client.takeActions() == [])
        let address: [UInt8] = [0, 128, 0, 0, 0, 0, 0, 9, 5, 0, 0, 9]
        dialogue.client = NATPMPClient(port: 6881, gateway: Gateway.address)
        dialogue.client.start(at: .zero)
        dialogue.client.datagramArrived(address.span.bytes, from: Endpoint(Gateway.address, 5351), at: .zero)
        _ = dialogue.client.takeActions()
        dialogue.client.release()
        let end: [UInt8] = [0, 2, 0, 0, 0x1a, 0xe1, 0, 0, 0, 0, 0, 0]
        #expect(dialogue.client.takeActions() == [.send(end, to: Endpoint(Gateway.address, 5351))])
    }

    @Test("hears nobody but the gateway, and nothing but answers to its question")
    func strangers() {
        var dialogue = NATPMPDialogue()
        dialogue.gateway = nil
        dialogue.client = NATPMPClient(port: 6881, gateway: Gateway.address)
        dialogue.client.start(at: .zero)
        let address: [UInt8] = [0, 128, 0, 0, 0, 0, 0, 9, 5, 0, 0, 9]
        let before = dialogue.client
        for sender in [Endpoint(.v4(0xc0a8_0102), 5351), Endpoint(Gateway.address, 5350)] {
            dialogue.client.datagramArrived(address.span.bytes, from: sender, at: .zero)
        }
        let place = Endpoint(Gateway.address, 5351)
        let others: [[UInt8]] =
            (0..<12).map { Array(address.prefix($0)) } + [
                [1, 128, 0, 0, 0, 0, 0, 9, 5, 0, 0, 9], [2, 128, 0, 4, 0, 0, 0, 9, 5, 0, 0, 9],
                [0, 0, 0, 0, 0, 0, 0, 9, 5, 0, 0, 9],
                [0, 130, 0, 0, 0, 0, 0, 9, 0x1a, 0xe1, 0x1a, 0xe1, 0, 0, 1, 0],
            ]
        for bytes in others { dialogue.client.datagramArrived(bytes.span.bytes, from: place, at: .zero) }
        #expect(dialogue.client == before)
    }

    @Test(
        "a mapping of nothing is no mapping",
        arguments: [([.tcp: 0], 7200), ([:], 0)] as [([MappedTransport: UInt16], UInt32)]
    )
    func nothing(ports: [MappedTransport: UInt16], lifetime: UInt32) {
        let dialogue = NATPMPDialogue {
            $0.ports = ports
            $0.lifetime = lifetime
        }
        #expect(dialogue.client.state == .failed(.malformed))
    }

    @Test("any bytes at all do no harm", arguments: 0..<8)
    func noise(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var dialogue = NATPMPDialogue()
        for _ in 0..<2000 {
            var bytes = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            if bytes.count > 1, Bool.random(using: &random) {
                bytes.replaceSubrange(0..<2, with: [0, 128 + UInt8.random(in: 0...2, using: &random)])
            }
            let place = Endpoint(Gateway.address, 5351)
            dialogue.client.datagramArrived(bytes.span.bytes, from: place, at: dialogue.now)
            dialogue.gateway = Bool.random(using: &random) ? Gateway() : nil
            dialogue.pass(.seconds(Int64.random(in: 0...400, using: &random)))
        }
    }
}
