import PortMapping
import Primitives
import Testing

@Suite("Asking a gateway for a port")
struct IGDClientTests {
    @Test("a gateway is searched for, describes itself, and maps the port in both transports")
    func maps() {
        var dialogue = IGDDialogue()
        #expect(dialogue.client.state == .searching)
        dialogue.start()
        #expect(dialogue.takeSearches().count == 3)
        dialogue.hears(IGDDialogue.location)
        #expect(dialogue.takeAsked() == ["GET \(IGDDialogue.location)"])
        dialogue.answers(GatewayText.description())
        #expect(dialogue.takeAsked() == ["GetStatusInfo"])
        #expect(dialogue.open.first?.url == "http://192.168.1.1:5000/ctl/IPConn")
        dialogue.answers(GatewayText.status("Connected"))
        #expect(dialogue.takeAsked() == ["GetExternalIPAddress"])
        dialogue.answers(GatewayText.externalAddress("203.0.113.7"))
        #expect(dialogue.takeAsked() == ["AddPortMapping 6881 TCP 6881 192.168.1.20 1 shoal 1200"])
        dialogue.answers(GatewayText.reply("AddPortMapping"))
        #expect(dialogue.takeAsked() == ["AddPortMapping 6881 UDP 6881 192.168.1.20 1 shoal 1200"])
        #expect(dialogue.client.state == .searching)
        dialogue.answers(GatewayText.reply("AddPortMapping"))
        #expect(
            dialogue.client.state
                == .mapped(
                    tcp: PortMapping(.tcp, port: 6881, externalPort: 6881, means: .upnp),
                    udp: PortMapping(.udp, port: 6881, externalPort: 6881, means: .upnp),
                    address: .v4(0xcb00_7107)
                )
        )
        #expect(dialogue.client.deadline == .zero + .seconds(600))
    }

    @Test("searches go to the group of UPnP, and once more after a second, for the first may be lost")
    func searches() {
        var dialogue = IGDDialogue()
        dialogue.start()
        let first = dialogue.takeSearches()
        #expect(first.count == 3 && first.allSatisfy { $0.hasPrefix("239.255.255.250:1900 M-SEARCH * HTTP/1.1\r\n") })
        dialogue.passes(.milliseconds(999))
        #expect(dialogue.takeSearches() == [])
        dialogue.passes(.milliseconds(1))
        #expect(dialogue.takeSearches() == first)
        dialogue.passes(.seconds(60))
        #expect(dialogue.takeSearches() == [])
    }

    @Test("after three seconds of silence there is no gateway, and a new start searches again")
    func silence() {
        var dialogue = IGDDialogue()
        dialogue.start()
        dialogue.passes(.milliseconds(2999))
        #expect(dialogue.client.state == .searching)
        dialogue.passes(.milliseconds(1))
        #expect(dialogue.fault == .noAnswer)
        #expect(dialogue.client.deadline == nil)
        dialogue.hears(IGDDialogue.location)
        #expect(dialogue.takeAsked() == [])
        _ = dialogue.takeSearches()
        dialogue.start()
        #expect(dialogue.takeSearches().count == 3)
        #expect(dialogue.client.state == .searching)
    }

    @Test("a second start while one is under way does nothing")
    func startedTwice() {
        var dialogue = IGDDialogue.found()
        dialogue.start()
        #expect(dialogue.takeSearches() == [])
        dialogue.succeeds()
        dialogue.start()
        #expect(dialogue.takeSearches() == [] && dialogue.mapped == "6881 6881 203.0.113.7")
    }

    @Test("a gateway that answers to the last search is asked, however long that takes then")
    func lateAnswer() {
        var dialogue = IGDDialogue()
        dialogue.start()
        dialogue.passes(.milliseconds(2900))
        dialogue.hears(IGDDialogue.location)
        dialogue.passes(.seconds(20))
        dialogue.answers(GatewayText.description())
        dialogue.succeeds()
        #expect(dialogue.mapped == "6881 6881 203.0.113.7")
    }

    @Test(
        "an external address that is none is left out, one of another router is kept",
        arguments: [
            ("203.0.113.7", "203.0.113.7"), ("192.168.0.10", "192.168.0.10"), ("0.0.0.0", "-"), ("", "-"),
            ("2001:db8::1", "-"), ("unknown", "-"), ("1.2.3.4.5", "-"),
        ]
    )
    func externalAddress(said: String, kept: String) {
        var dialogue = IGDDialogue.found()
        dialogue.succeeds(until: "GetExternalIPAddress")
        dialogue.answers(GatewayText.externalAddress(said))
        dialogue.succeeds()
        #expect(dialogue.mapped == "6881 6881 \(kept)")
    }

    @Test("a gateway that knows neither its state nor its address maps nevertheless")
    func knowsNothing() {
        var dialogue = IGDDialogue.found()
        dialogue.refuses(401, "Invalid Action")
        dialogue.refuses(501, "Action Failed")
        dialogue.succeeds()
        #expect(dialogue.mapped == "6881 6881 -")
    }

    @Test("of two lines out the one that is connected is used")
    func twoLines() {
        let text = GatewayText.description(services: [(GatewayText.ip1, "/ip"), (GatewayText.ppp1, "/ppp")])
        var dialogue = IGDDialogue.found(text)
        dialogue.answers(GatewayText.status("Unconfigured"))
        #expect(dialogue.open.first?.url == "http://192.168.1.1:5000/ppp")
        dialogue.succeeds()
        #expect(dialogue.mapped == "6881 6881 203.0.113.7")
    }

    @Test("a line out that is down maps nothing")
    func disconnected() {
        var dialogue = IGDDialogue.found()
        dialogue.answers(GatewayText.status("Disconnected"))
        dialogue.passes(.seconds(3))
        #expect(dialogue.fault == .refused("its line out is not connected"))
    }

    // MARK: Refusals

    @Test("what the router refuses by is told in its own words", arguments: [606, 501, 715, 724, 726])
    func refusal(code: Int) {
        var dialogue = IGDDialogue.found()
        dialogue.succeeds(until: "AddPortMapping")
        dialogue.refuses(code, "Not today")
        #expect(dialogue.open.isEmpty)
        dialogue.passes(.seconds(3))
        #expect(dialogue.fault == .refused("Not today (error \(code))"))
        #expect(dialogue.client.deadline == nil)
    }

    @Test("without UDP there is no mapping: that of TCP is taken away again")
    func onlyHalf() {
        var dialogue = IGDDialogue.found()
        dialogue.succeeds(until: "AddPortMapping 6881 UDP")
        _ = dialogue.takeAsked()
        dialogue.refuses(606, "Action not authorized")
        #expect(dialogue.takeAsked() == ["DeletePortMapping 6881 TCP"])
        dialogue.succeeds()
        dialogue.passes(.seconds(3))
        #expect(dialogue.fault == .refused("Action not authorized (error 606)"))
    }

    @Test("a call without an answer may have been carried out: both are taken away")
    func silentCall() {
        var dialogue = IGDDialogue.found()
        dialogue.succeeds(until: "AddPortMapping 6881 UDP")
        _ = dialogue.takeAsked()
        dialogue.isSilent()
        dialogue.isSilent()
        dialogue.isSilent()
        #expect(dialogue.takeAsked() == ["DeletePortMapping 6881 TCP", "DeletePortMapping 6881 UDP"])
        dialogue.passes(.seconds(3))
        #expect(dialogue.fault == .noAnswer)
    }

    @Test("a gateway that only maps without an end is asked for that, in both transports", arguments: [725, 402])
    func permanent(code: Int) {
        var dialogue = IGDDialogue.found()
        dialogue.succeeds(until: "AddPortMapping")
        _ = dialogue.takeAsked()
        dialogue.refuses(code, "OnlyPermanentLeasesSupported")
        dialogue.succeeds()
        #expect(
            dialogue.takeAsked() == [
                "AddPortMapping 6881 TCP 6881 192.168.1.20 1 shoal 0",
                "AddPortMapping 6881 UDP 6881 192.168.1.20 1 shoal 0",
            ]
        )
        #expect(dialogue.mapped == "6881 6881 203.0.113.7")
        #expect(dialogue.client.deadline == .zero + .seconds(600))
    }

    @Test("who refuses a mapping without an end as well has refused", arguments: [725, 402])
    func notEvenPermanent(code: Int) {
        var dialogue = IGDDialogue.found()
        dialogue.succeeds(until: "AddPortMapping")
        dialogue.refuses(code, "No")
        dialogue.refuses(code, "No")
        dialogue.passes(.seconds(3))
        #expect(dialogue.fault == .refused("No (error \(code))"))
    }

    // MARK: Ports that are taken

    @Test("a port that is ours already is fine, and its lease is what is left of it")
    func alreadyOurs() {
        var dialogue = IGDDialogue.found()
        dialogue.succeeds(until: "AddPortMapping")
        _ = dialogue.takeAsked()
        dialogue.refuses(718, "ConflictInMappingEntry")
        #expect(dialogue.takeAsked() == ["GetSpecificPortMappingEntry 6881 TCP"])
        dialogue.answers(GatewayText.entry(port: "6881", client: "192.168.1.20", lease: "600"))
        #expect(dialogue.takeAsked() == ["AddPortMapping 6881 UDP 6881 192.168.1.20 1 shoal 1200"])
        dialogue.succeeds()
        #expect(dialogue.mapped == "6881 6881 203.0.113.7")
        #expect(dialogue.client.deadline == .zero + .seconds(300))
    }

    @Test("what is left of a lease makes us ask once a minute at most", arguments: ["1", "90", "120"])
    func shortLease(left: String) {
        var dialogue = IGDDialogue.found()
        dialogue.succeeds(until: "AddPortMapping")
        dialogue.refuses(718)
        dialogue.answers(GatewayText.entry(port: "6881", client: "192.168.1.20", lease: left))
        dialogue.succeeds()
        #expect(dialogue.client.deadline == .zero + .seconds(60))
    }

    @Test(
        "a port of another host, of another program or of nobody who says makes us take another, in both transports",
        arguments: [
            GatewayText.entry(port: "6881", client: "192.168.1.77"),
            GatewayText.entry(port: "22", client: "192.168.1.20"),
            GatewayText.entry(port: "6881", client: "192.168.1.20", enabled: "0"),
            GatewayText.reply("GetSpecificPortMappingEntry"), GatewayText.fault(714, "NoSuchEntryInArray"), "",
        ]
    )
    func taken(entry: String) throws {
        var dialogue = IGDDialogue.found()
        dialogue.succeeds(until: "AddPortMapping 6881 UDP")
        _ = dialogue.takeAsked()
        dialogue.refuses(718, "ConflictInMappingEntry")
        dialogue.answers(entry)
        #expect(dialogue.takeAsked() == ["GetSpecificPortMappingEntry 6881 UDP", "DeletePortMapping 6881 TCP"])
        dialogue.succeeds()
        let asked = dialogue.takeAsked()
        let external = try #require(asked.first?.split(separator: " ").dropFirst().first.flatMap { UInt16($0) })
        #expect((10_000...65_000).contains(external))
        #expect(
            asked == ["TCP", "UDP"].map { "AddPortMapping \(external) \($0) 6881 192.168.1.20 1 shoal 1200" }
        )
        #expect(dialogue.mapped == "\(external) \(external) 203.0.113.7")
    }

    @Test(
        "four other ports are tried, each another, and then the router has refused",
        arguments: [1, 2, 3] as [UInt64]
    )
    func allTaken(seed: UInt64) {
        var dialogue = IGDDialogue.found(seed: seed)
        dialogue.succeeds(until: "AddPortMapping")
        while dialogue.client.state == .searching, let request = dialogue.open.first {
            let isEntry = request.call?.action.contains("Entry") == true
            dialogue.refuses(isEntry ? 714 : 718, "ConflictInMappingEntry")
        }
        let added = Set(dialogue.takeAsked().filter { $0.hasPrefix("Add") })
        #expect(added.count == 5)
        dialogue.passes(.seconds(3))
        #expect(dialogue.fault == .refused("ConflictInMappingEntry (error 718)"))
    }

    @Test("a router that maps only equal numbers, and has given ours away, has refused")
    func sameNumbers() {
        var dialogue = IGDDialogue.found()
        dialogue.succeeds(until: "AddPortMapping")
        dialogue.refuses(718, "ConflictInMappingEntry")
        dialogue.refuses(714, "NoSuchEntryInArray")
        dialogue.refuses(724, "SamePortValuesRequired")
        #expect(dialogue.open.isEmpty)
        dialogue.passes(.seconds(3))
        #expect(dialogue.fault == .refused("SamePortValuesRequired (error 724)"))
    }
}
