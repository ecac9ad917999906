import PortMapping
import Primitives
import Testing

@Suite("Many gateways, and odd ones")
struct IGDDevicesTests {
    private static func location(_ number: Int) -> String { "http://192.168.1.1:\(5000 + number)/root.xml" }

    @Test("a device is looked at once, however often it answers")
    func duplicates() {
        var dialogue = IGDDialogue()
        dialogue.start()
        for _ in 0..<6 { dialogue.hears(IGDDialogue.location) }
        #expect(dialogue.takeAsked() == ["GET \(IGDDialogue.location)"])
        dialogue.isSilent()
        dialogue.hears(IGDDialogue.location)
        #expect(dialogue.takeAsked() == [])
    }

    @Test("of many devices eight are looked at, one after the other, until one maps")
    func most() {
        var dialogue = IGDDialogue()
        dialogue.start()
        for number in 0..<20 { dialogue.hears(IGDDevicesTests.location(number)) }
        #expect(dialogue.open.count == 1)
        for _ in 0..<7 { dialogue.isSilent() }
        #expect(dialogue.takeAsked() == (0..<8).map { "GET \(IGDDevicesTests.location($0))" })
        dialogue.answers(GatewayText.description())
        dialogue.succeeds()
        #expect(dialogue.mapped == "6881 6881 203.0.113.7")
    }

    @Test("when all have failed there is no answer, and nothing more is asked")
    func noneLeft() {
        var dialogue = IGDDialogue()
        dialogue.start()
        for number in 0..<20 { dialogue.hears(IGDDevicesTests.location(number)) }
        for _ in 0..<8 { dialogue.isSilent() }
        dialogue.hears(IGDDevicesTests.location(30))
        #expect(dialogue.open.isEmpty)
        dialogue.passes(.seconds(3))
        #expect(dialogue.fault == .noAnswer)
    }

    @Test("our own gateway is asked first, however many answer before it, and others when the search is over")
    func gatewayFirst() {
        let stranger = IPAddress.v4(0xc0a8_0142)
        var dialogue = IGDDialogue(gateway: IGDDialogue.gateway)
        dialogue.start()
        for number in 0..<20 { dialogue.hears("http://192.168.1.66:\(5000 + number)/", from: stranger) }
        dialogue.passes(.seconds(2))
        #expect(dialogue.takeAsked() == [])
        dialogue.hears(IGDDialogue.location)
        #expect(dialogue.takeAsked() == ["GET \(IGDDialogue.location)"])
        dialogue.isSilent()
        dialogue.passes(.milliseconds(999))
        #expect(dialogue.takeAsked() == [])
        dialogue.passes(.milliseconds(1))
        for _ in 0..<6 { dialogue.isSilent() }
        #expect(dialogue.takeAsked() == (0..<6).map { "GET http://192.168.1.66:\(5000 + $0)/" })
        #expect(dialogue.fault == .noAnswer)
    }

    @Test("a gateway that answers late is before those who wait")
    func gatewayLate() {
        var dialogue = IGDDialogue(gateway: IGDDialogue.gateway)
        dialogue.start()
        dialogue.hears("http://192.168.1.66:5000/", from: .v4(0xc0a8_0142))
        dialogue.hears(IGDDialogue.location)
        dialogue.answers(GatewayText.description())
        dialogue.succeeds()
        #expect(dialogue.mapped == "6881 6881 203.0.113.7")
        #expect(dialogue.takeAsked().filter { $0.contains("192.168.1.66") } == [])
    }

    @Test("a device that only lets us wait has 30 seconds, then it is the next one's turn")
    func slow() {
        var dialogue = IGDDialogue()
        dialogue.start()
        dialogue.hears(IGDDevicesTests.location(0))
        dialogue.hears(IGDDevicesTests.location(1))
        dialogue.answers(GatewayText.description())
        dialogue.succeeds(until: "AddPortMapping 6881 UDP")
        _ = dialogue.takeAsked()
        dialogue.passes(.milliseconds(29_999))
        #expect(dialogue.takeAsked() == [])
        dialogue.passes(.milliseconds(1))
        #expect(
            dialogue.takeAsked() == [
                "DeletePortMapping 6881 TCP", "DeletePortMapping 6881 UDP", "GET \(IGDDevicesTests.location(1))",
            ]
        )
        // What the first says now is of no interest any more.
        for _ in 0..<3 { dialogue.succeeds(until: "GET") }
        dialogue.answers(GatewayText.description())
        dialogue.succeeds()
        #expect(dialogue.mapped == "6881 6881 203.0.113.7")
    }

    @Test("eight devices that let us wait take four minutes, not more")
    func allSlow() {
        var dialogue = IGDDialogue()
        dialogue.start()
        for number in 0..<8 { dialogue.hears(IGDDevicesTests.location(number)) }
        dialogue.passes(.milliseconds(239_999))
        #expect(dialogue.client.state == .searching)
        dialogue.passes(.milliseconds(1))
        #expect(dialogue.fault == .noAnswer)
        #expect(dialogue.takeAsked().count == 8)
    }

    @Test("a refusal is told rather than the silence and the nonsense of others")
    func lastRefusal() {
        var dialogue = IGDDialogue()
        dialogue.start()
        for number in 0..<4 { dialogue.hears(IGDDevicesTests.location(number)) }
        dialogue.answers("<html>")
        dialogue.answers(GatewayText.description())
        dialogue.succeeds(until: "AddPortMapping")
        dialogue.refuses(606, "No")
        dialogue.answers("no XML")
        dialogue.isSilent()
        dialogue.passes(.seconds(3))
        #expect(dialogue.fault == .refused("No (error 606)"))
    }

    @Test(
        "a device that describes itself as no gateway is passed over",
        arguments: [
            (GatewayText.description(services: []), 200, PortMappingFault.noAnswer),
            (GatewayText.description(services: [(GatewayText.ip1, "http://192.168.1.66/ctl")]), 200, .noAnswer),
            (GatewayText.description(), 404, .noAnswer), (GatewayText.description(), 301, .noAnswer),
            ("", 200, .malformed), ("<root>", 200, .malformed),
            ("<!DOCTYPE a [<!ENTITY b \"c\">]><root>&b;</root>", 200, .malformed),
            (String(repeating: "<service>", count: 7281), 200, .malformed),
            (String(repeating: " ", count: 1 << 17) + "<root/>", 200, .malformed),
        ]
    )
    func noGateway(description: String, status: Int, fault: PortMappingFault) {
        var dialogue = IGDDialogue()
        dialogue.start()
        dialogue.hears(IGDDialogue.location)
        dialogue.answers(description, status: status)
        #expect(dialogue.open.isEmpty)
        dialogue.passes(.seconds(3))
        #expect(dialogue.fault == fault)
    }

    @Test("a gateway that answers to a call with something else has not mapped", arguments: ["", "<a/>", "OK"])
    func nonsense(text: String) {
        var dialogue = IGDDialogue.found()
        dialogue.succeeds(until: "AddPortMapping")
        dialogue.answers(text)
        dialogue.succeeds()
        dialogue.passes(.seconds(3))
        #expect(dialogue.fault == .malformed)
    }

    @Test("our address is the one that the device was asked from last")
    func ownAddress() {
        var dialogue = IGDDialogue.found()
        dialogue.ownAddress = .v4(0xc0a8_0121)
        dialogue.succeeds(until: "AddPortMapping")
        #expect(dialogue.takeAsked().last == "AddPortMapping 6881 TCP 6881 192.168.1.33 1 shoal 1200")
    }

    @Test("what we did not ask for, and what comes too late, changes nothing")
    func stale() {
        var dialogue = IGDDialogue()
        dialogue.replies(to: 0, GatewayText.description())
        dialogue.start()
        dialogue.replies(to: 0, GatewayText.description())
        dialogue.hears(IGDDialogue.location)
        dialogue.replies(to: 7, GatewayText.description())
        dialogue.replies(to: -1, GatewayText.description())
        #expect(dialogue.takeAsked() == ["GET \(IGDDialogue.location)"])
        dialogue.answers(GatewayText.description())
        dialogue.replies(to: 0, GatewayText.status("Connected"))
        #expect(dialogue.takeAsked() == ["GetStatusInfo"])
    }

    @Test("a client takes no replies to one that was before it")
    func otherClient() {
        var old = IGDDialogue()
        old.start()
        old.hears(IGDDialogue.location)
        var new = IGDDialogue()
        new.now = .zero + .seconds(1)
        new.start()
        new.hears("http://192.168.1.1:49001/root.xml")
        _ = new.takeAsked()
        for request in old.open { new.replies(to: request.ticket, GatewayText.description()) }
        #expect(new.takeAsked() == [] && new.open.count == 1)
    }

    @Test("answers that come before a search or after it are not looked at")
    func unasked() {
        var dialogue = IGDDialogue()
        dialogue.hears(IGDDialogue.location)
        #expect(dialogue.takeAsked() == [] && dialogue.client.deadline == nil)
        dialogue = .mapped()
        dialogue.hears(IGDDevicesTests.location(1))
        #expect(dialogue.takeAsked() == [])
    }
}
