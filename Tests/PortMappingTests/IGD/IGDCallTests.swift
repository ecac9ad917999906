import Primitives
import Testing

@testable import PortMapping

@Suite("Calls to a gateway")
struct IGDCallTests {
    @Test("a call has the form that the service's description gives it")
    func form() {
        let call = IGDCall.add(
            .udp,
            externalPort: 7000,
            port: 6881,
            client: IGDDialogue.ourselves,
            lease: 1200
        ).request(to: .ip1)
        #expect(call.action == "\"urn:schemas-upnp-org:service:WANIPConnection:1#AddPortMapping\"")
        #expect(
            String(decoding: call.body, as: UTF8.self) == """
                <?xml version="1.0"?>
                <s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" \
                s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>\
                <u:AddPortMapping xmlns:u="urn:schemas-upnp-org:service:WANIPConnection:1">\
                <NewRemoteHost></NewRemoteHost><NewExternalPort>7000</NewExternalPort><NewProtocol>UDP</NewProtocol>\
                <NewInternalPort>6881</NewInternalPort><NewInternalClient>192.168.1.20</NewInternalClient>\
                <NewEnabled>1</NewEnabled><NewPortMappingDescription>shoal</NewPortMappingDescription>\
                <NewLeaseDuration>1200</NewLeaseDuration></u:AddPortMapping></s:Body></s:Envelope>

                """
        )
    }

    @Test(
        "each call names its service",
        arguments: [
            (IGDCall.status, "GetStatusInfo"), (.externalAddress, "GetExternalIPAddress"),
            (.entry(.tcp, externalPort: 1), "GetSpecificPortMappingEntry"),
            (.delete(.tcp, externalPort: 1), "DeletePortMapping"),
        ]
    )
    func names(call: IGDCall, name: String) {
        let action = call.request(to: .ppp1).action
        #expect(action == "\"urn:schemas-upnp-org:service:WANPPPConnection:1#\(name)\"")
    }

    private func answer(_ text: String, status: Int = 200, to call: IGDCall = .status) -> IGDAnswer {
        IGDAnswer(IGDReply(status: status, body: Array(text.utf8), ownAddress: IGDDialogue.ourselves), to: call)
    }

    @Test("a reply gives its values by name, the first of each")
    func values() {
        let text = GatewayText.reply("GetStatusInfo", [("A", "1"), ("B", " 2 "), ("A", "3")])
        #expect(answer(text) == .done(["A": "1", "B": "2"]))
    }

    @Test("the reply to another call is none")
    func otherCall() {
        #expect(answer(GatewayText.reply("AddPortMapping")) == .unreadable(.malformed))
    }

    @Test("an error has its number and the gateway's words, whatever the status", arguments: [200, 402, 500])
    func errors(status: Int) {
        #expect(
            answer(GatewayText.fault(606, "Action not authorized"), status: status)
                == .refused(code: 606, .refused("Action not authorized (error 606)"))
        )
    }

    @Test(
        "the words of a gateway are printable and short",
        arguments: [
            ("", "error 501"), ("\u{9b}2J\u{202e}x", "?2J?x (error 501)"), ("Überlastet", "?berlastet (error 501)"),
            (String(repeating: "x", count: 4000), String(repeating: "x", count: 68) + " (error 501)"),
        ]
    )
    func words(said: String, kept: String) {
        #expect(answer(GatewayText.fault(501, said), status: 500) == .refused(code: 501, .refused(kept)))
        #expect(kept.utf8.count <= 80)
    }

    @Test(
        "a number that is none is no number that means something",
        arguments: ["", "x", "99999999999999999999", "7 18"]
    )
    func numbers(code: String) {
        let text = GatewayText.fault(1, "").replacing("<errorCode>1<", with: "<errorCode>\(code)<")
        #expect(answer(text, status: 500) == .refused(code: 0, .refused("error 0")))
    }

    @Test("without XML the status says why")
    func statuses() {
        #expect(answer("Unauthorized", status: 401) == .unreadable(.refused("HTTP status 401")))
        #expect(answer(GatewayText.status("Connected"), status: 404) == .unreadable(.refused("HTTP status 404")))
        #expect(answer("OK") == .unreadable(.malformed))
    }
}
