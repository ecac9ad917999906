import PortMapping
import Primitives
import Testing

@Suite("Keeping a port")
struct IGDLeaseTests {
    @Test("a mapping is renewed when half of its lease is over, again and again")
    func renewal() {
        var dialogue = IGDDialogue.mapped()
        for round in 1...3 {
            dialogue.passes(.seconds(599))
            #expect(dialogue.takeAsked() == [])
            dialogue.passes(.seconds(1))
            dialogue.succeeds()
            #expect(
                dialogue.takeAsked() == [
                    "GetExternalIPAddress", "AddPortMapping 6881 TCP 6881 192.168.1.20 1 shoal 1200",
                    "AddPortMapping 6881 UDP 6881 192.168.1.20 1 shoal 1200",
                ]
            )
            #expect(dialogue.mapped == "6881 6881 203.0.113.7")
            #expect(dialogue.client.deadline == .zero + .seconds(600 * (round + 1)))
        }
    }

    @Test("a mapping without an end is renewed as well, for routers forget")
    func permanent() {
        var dialogue = IGDDialogue.found()
        dialogue.succeeds(until: "AddPortMapping")
        dialogue.refuses(725)
        dialogue.succeeds()
        _ = dialogue.takeAsked()
        dialogue.passes(.seconds(600))
        dialogue.succeeds()
        #expect(dialogue.takeAsked().last == "AddPortMapping 6881 UDP 6881 192.168.1.20 1 shoal 0")
        #expect(dialogue.client.deadline == .zero + .seconds(1200))
    }

    @Test("a renewal tells of a new address of the router")
    func newAddress() {
        var dialogue = IGDDialogue.mapped()
        dialogue.passes(.seconds(600))
        dialogue.answers(GatewayText.externalAddress("198.51.100.3"))
        dialogue.succeeds()
        #expect(dialogue.mapped == "6881 6881 198.51.100.3")
    }

    @Test("a router that was switched off is found where it is now, and gives the same port again")
    func restarted() {
        var dialogue = IGDDialogue.mapped()
        dialogue.passes(.seconds(600))
        _ = dialogue.takeAsked()
        dialogue.isSilent()
        #expect(dialogue.takeSearches().count == 3)
        #expect(dialogue.mapped == "6881 6881 203.0.113.7")
        dialogue.hears("http://192.168.1.1:49001/root.xml")
        dialogue.answers(GatewayText.description())
        #expect(dialogue.open.first?.url == "http://192.168.1.1:49001/ctl/IPConn")
        dialogue.succeeds()
        #expect(
            dialogue.takeAsked() == [
                "GET http://192.168.1.1:49001/root.xml", "GetStatusInfo", "GetExternalIPAddress",
                "AddPortMapping 6881 TCP 6881 192.168.1.20 1 shoal 1200",
                "AddPortMapping 6881 UDP 6881 192.168.1.20 1 shoal 1200",
            ]
        )
        #expect(dialogue.mapped == "6881 6881 203.0.113.7")
        #expect(dialogue.client.deadline == .zero + .seconds(1200))
    }

    @Test("an external port of its own is asked for again as well")
    func restartedElsewhere() throws {
        var dialogue = IGDDialogue.found()
        dialogue.succeeds(until: "AddPortMapping")
        dialogue.refuses(718)
        dialogue.refuses(714)
        dialogue.succeeds()
        let mapped = try #require(dialogue.mapped)
        dialogue.passes(.seconds(600))
        dialogue.isSilent()
        dialogue.hears("http://192.168.1.1:49001/root.xml")
        dialogue.answers(GatewayText.description())
        dialogue.succeeds()
        #expect(dialogue.mapped == mapped)
    }

    @Test("without a renewal it is searched for each minute, and the mapping is lost when its lease has ended")
    func lost() {
        var dialogue = IGDDialogue.mapped()
        dialogue.passes(.seconds(600))
        dialogue.isSilent()
        #expect(dialogue.takeSearches().count == 3)
        dialogue.passes(.seconds(62))
        #expect(dialogue.takeSearches().count == 3)
        dialogue.passes(.seconds(1))
        #expect(dialogue.takeSearches().count == 3)
        dialogue.passes(.milliseconds(536_999))
        #expect(dialogue.mapped == "6881 6881 203.0.113.7")
        dialogue.passes(.milliseconds(1))
        #expect(dialogue.fault == .noAnswer)
        #expect(dialogue.client.deadline == nil)
        dialogue.start()
        #expect(dialogue.client.state == .searching)
    }

    @Test("a router that only lets us wait is searched for after 30 seconds")
    func slow() {
        var dialogue = IGDDialogue.mapped()
        dialogue.passes(.milliseconds(629_999))
        #expect(dialogue.takeSearches() == [])
        dialogue.passes(.milliseconds(1))
        #expect(dialogue.takeSearches().count == 3)
        #expect(dialogue.takeAsked() == ["GetExternalIPAddress"])
    }

    @Test("a router that refuses to renew is left what it has of ours, and told of when the lease has ended")
    func refused() {
        var dialogue = IGDDialogue.mapped()
        dialogue.passes(.seconds(600))
        dialogue.succeeds(until: "AddPortMapping 6881 UDP")
        dialogue.refuses(501, "No more")
        var rounds = 0
        while dialogue.mapped == "6881 6881 203.0.113.7" {
            dialogue.hears(IGDDialogue.location)
            dialogue.answers(GatewayText.description())
            dialogue.succeeds(until: "AddPortMapping 6881 UDP")
            dialogue.refuses(501, "No more")
            dialogue.passes(.seconds(63))
            rounds += 1
        }
        #expect(rounds == 10)
        #expect(dialogue.takeAsked().filter { $0.hasPrefix("Delete") } == [])
        #expect(dialogue.fault == .refused("No more (error 501)"))
    }

    @Test("a lease that ends while the router is asked is one no more, and what it says then counts as ever")
    func endsMeanwhile() {
        var dialogue = IGDDialogue.mapped()
        dialogue.passes(.seconds(1198))
        dialogue.hears(IGDDialogue.location)
        dialogue.passes(.seconds(2))
        #expect(dialogue.client.state == .searching)
        // The reply to the renewal comes too late, that to the description does not.
        dialogue.isSilent()
        dialogue.answers(GatewayText.description())
        dialogue.succeeds()
        #expect(dialogue.mapped == "6881 6881 203.0.113.7")
    }

    @Test("a host that slept through the lease has lost the mapping, and does not claim to have one")
    func slept() {
        var dialogue = IGDDialogue.mapped()
        dialogue.now = .zero + .seconds(100_000)
        dialogue.client.tick(at: dialogue.now)
        #expect(dialogue.fault == .noAnswer)
    }

    @Test("a port that was given to somebody else meanwhile makes us take another, and give up what is left of the old")
    func takenAway() throws {
        var dialogue = IGDDialogue.mapped()
        dialogue.passes(.seconds(600))
        dialogue.succeeds(until: "AddPortMapping")
        _ = dialogue.takeAsked()
        dialogue.refuses(718)
        dialogue.answers(GatewayText.entry(port: "6881", client: "192.168.1.77"))
        #expect(dialogue.takeAsked() == ["GetSpecificPortMappingEntry 6881 TCP", "DeletePortMapping 6881 UDP"])
        dialogue.succeeds()
        let external = try #require(dialogue.takeAsked().last?.split(separator: " ").dropFirst().first)
        #expect(external != "6881")
        #expect(dialogue.mapped == "\(external) \(external) 203.0.113.7")
        dialogue.passes(.seconds(600))
        dialogue.succeeds()
        #expect(dialogue.takeAsked().last == "AddPortMapping \(external) UDP 6881 192.168.1.20 1 shoal 1200")
    }

    @Test("who finds no other port for one that was given away has lost the mapping at once")
    func nothingLeft() {
        var dialogue = IGDDialogue.mapped()
        dialogue.passes(.seconds(600))
        dialogue.succeeds(until: "AddPortMapping")
        dialogue.refuses(718)
        dialogue.answers(GatewayText.entry(port: "6881", client: "192.168.1.77"))
        dialogue.succeeds(until: "AddPortMapping")
        dialogue.refuses(606, "No")
        #expect(dialogue.fault == .refused("No (error 606)"))
        #expect(dialogue.client.deadline == nil)
    }

    // MARK: Release

    @Test("a release takes both mappings away, waits for nobody, and lets a new start begin anew")
    func release() {
        var dialogue = IGDDialogue.mapped()
        dialogue.release()
        #expect(dialogue.takeAsked() == ["DeletePortMapping 6881 TCP", "DeletePortMapping 6881 UDP"])
        #expect(dialogue.open.map(\.url) == Array(repeating: "http://192.168.1.1:5000/ctl/IPConn", count: 2))
        #expect(dialogue.client.deadline == nil && dialogue.client.state == .searching)
        dialogue.isSilent()
        dialogue.succeeds()
        dialogue.release()
        #expect(dialogue.takeAsked() == [])
        dialogue.start()
        #expect(dialogue.takeSearches().count == 3)
    }

    @Test("a release in the middle takes away what may be there by then")
    func releaseInTheMiddle() {
        var dialogue = IGDDialogue.found()
        dialogue.succeeds(until: "AddPortMapping")
        _ = dialogue.takeAsked()
        dialogue.release()
        #expect(dialogue.takeAsked() == ["DeletePortMapping 6881 TCP"])
        dialogue.answers(GatewayText.reply("AddPortMapping"))
        #expect(dialogue.takeAsked() == [] && dialogue.client.state == .searching)
    }

    @Test("a release while searching has nothing to take away")
    func releaseWhileSearching() {
        var dialogue = IGDDialogue()
        dialogue.release()
        dialogue.start()
        dialogue.hears(IGDDialogue.location)
        _ = dialogue.takeAsked()
        dialogue.release()
        #expect(dialogue.takeAsked() == [] && dialogue.client.deadline == nil)
        dialogue.answers(GatewayText.description())
        dialogue.passes(.seconds(10))
        #expect(dialogue.takeAsked() == [] && dialogue.client.state == .searching)
    }

    @Test("a release while the router is searched for takes the mapping away where it was, and where it may be")
    func releaseWhileRestarting() {
        var dialogue = IGDDialogue.mapped()
        dialogue.passes(.seconds(600))
        dialogue.isSilent()
        dialogue.hears("http://192.168.1.1:49001/root.xml")
        dialogue.answers(GatewayText.description())
        dialogue.succeeds(until: "AddPortMapping")
        dialogue.release()
        #expect(
            dialogue.open.suffix(4).map(\.url) == [
                "http://192.168.1.1:49001/ctl/IPConn", "http://192.168.1.1:49001/ctl/IPConn",
                "http://192.168.1.1:5000/ctl/IPConn", "http://192.168.1.1:5000/ctl/IPConn",
            ]
        )
        #expect(dialogue.takeAsked().suffix(2) == ["DeletePortMapping 6881 TCP", "DeletePortMapping 6881 UDP"])
        #expect(dialogue.client.deadline == nil)
    }

    @Test("a mapping at another port is taken away there")
    func releaseElsewhere() throws {
        var dialogue = IGDDialogue.found()
        dialogue.succeeds(until: "AddPortMapping")
        dialogue.refuses(718)
        dialogue.refuses(714)
        dialogue.succeeds()
        let mapped = try #require(dialogue.mapped).split(separator: " ")
        _ = dialogue.takeAsked()
        dialogue.release()
        #expect(dialogue.takeAsked() == ["DeletePortMapping \(mapped[0]) TCP", "DeletePortMapping \(mapped[0]) UDP"])
    }
}
