import Primitives
import Testing

@testable import PortMapping

@Suite("Finding a gateway")
struct SSDPTests {
    private func location(in text: String, from sender: IPAddress = IGDDialogue.gateway) -> String? {
        location(in: Array(text.utf8), from: sender)
    }

    private func location(in bytes: [UInt8], from sender: IPAddress = IGDDialogue.gateway) -> String? {
        SSDPAnswer(bytes.span.bytes, from: Endpoint(sender, 1900))?.location.description
    }

    @Test("a search is what UPnP says it is")
    func search() {
        #expect(
            SSDP.searches.first.map { String(decoding: $0, as: UTF8.self) }
                == "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 2\r\n"
                + "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n"
        )
        #expect(SSDP.searches.count == 3)
    }

    @Test(
        "an answer leads to the description of its sender",
        arguments: [
            GatewayText.answer(location: IGDDialogue.location),
            GatewayText.answer(status: "HTTP/1.0 200", target: GatewayText.ip1, location: IGDDialogue.location),
            "HTTP/1.1 200 OK\nst:urn:schemas-upnp-org:device:InternetGatewayDevice:2\nLocation:\t"
                + IGDDialogue.location,
            "HTTP/1.1 200 OK\r\nno field\r\nST: \(GatewayText.ppp1)\r\nlocation: \(IGDDialogue.location)  \r\n"
                + "LOCATION: http://192.168.1.1/other\r\n\r\n",
        ]
    )
    func answers(text: String) {
        #expect(location(in: text) == IGDDialogue.location)
    }

    @Test(
        "what is no answer of a gateway is none",
        arguments: [
            "", "\r\n\r\n", "HTTP/1.1",
            "NOTIFY * HTTP/1.1\r\nST: \(GatewayText.ip1)\r\nLOCATION: \(IGDDialogue.location)",
            GatewayText.answer(status: "HTTP/1.1 404 Not Found", location: IGDDialogue.location),
            GatewayText.answer(status: "RTSP/1.0 200 OK", location: IGDDialogue.location),
            GatewayText.answer(target: "upnp:rootdevice", location: IGDDialogue.location),
            GatewayText.answer(target: "urn:schemas-upnp-org:device:MediaServer:1", location: IGDDialogue.location),
            "HTTP/1.1 200 OK\r\nST: \(GatewayText.ip1)\r\n\r\nLOCATION: \(IGDDialogue.location)\r\n\r\n",
        ]
    )
    func others(text: String) {
        #expect(location(in: text) == nil)
    }

    @Test(
        "an answer that leads elsewhere than to its sender is none",
        arguments: [
            "http://192.168.1.2:5000/root.xml", "http://127.0.0.1:22/", "http://203.0.113.9/", "http://router/root.xml",
            "https://192.168.1.1/root.xml", "file:///etc/passwd", "//192.168.1.1/root.xml", "/root.xml",
        ]
    )
    func elsewhere(location: String) {
        #expect(self.location(in: GatewayText.answer(location: location)) == nil)
    }

    @Test("a sender on the internet is none of ours, wherever it leads")
    func publicSender() {
        let text = GatewayText.answer(location: "http://203.0.113.9/root.xml")
        #expect(location(in: text, from: .v4(0xcb00_7109)) == nil)
    }

    @Test("1500 bytes, no more", arguments: [(1500, true), (1501, false)])
    func length(count: Int, isRead: Bool) {
        let bytes = Array(GatewayText.answer(location: IGDDialogue.location).utf8)
        let padding = [UInt8](repeating: 0xff, count: count - bytes.count)
        #expect((location(in: bytes + padding) != nil) == isRead)
    }
}
