import Primitives
import Testing
import XML

@testable import PortMapping

@Suite("The description of a gateway")
struct IGDServiceTests {
    private func services(in text: String, at url: String = IGDDialogue.location) throws -> [String] {
        let url = try #require(LocalURL(url))
        return try IGDService.described(in: Array(text.utf8), at: url).map { "\($0.kind) \($0.control)" }
    }

    @Test("the services that map ports are found, best first")
    func order() throws {
        let text = GatewayText.description(services: [
            (GatewayText.ppp1, "/ppp"), ("urn:schemas-upnp-org:service:WANIPv6FirewallControl:1", "/6"),
            (GatewayText.ip1, "/one"), (GatewayText.ip2, "/two"), (GatewayText.ip1, "/other"),
        ])
        #expect(
            try services(in: text) == [
                "ip2 http://192.168.1.1:5000/two", "ip1 http://192.168.1.1:5000/one",
                "ip1 http://192.168.1.1:5000/other", "ppp1 http://192.168.1.1:5000/ppp",
            ]
        )
    }

    @Test(
        "a control URL is relative to the base, or else to the description",
        arguments: [
            (nil, "/ctl/IPConn", "http://192.168.1.1:5000/ctl/IPConn"), (nil, "ctl", "http://192.168.1.1:5000/a/ctl"),
            ("http://192.168.1.1:49000", "ctl", "http://192.168.1.1:49000/ctl"),
            ("http://192.168.1.1:49000/b/", "ctl", "http://192.168.1.1:49000/b/ctl"),
            ("http://192.168.1.1:49000/b/", "/ctl", "http://192.168.1.1:49000/ctl"),
            ("", "/c", "http://192.168.1.1:5000/c"),
            ("http://192.168.1.1", "http://192.168.1.1:81/c", "http://192.168.1.1:81/c"),
        ]
    )
    func control(base: String?, control: String, url: String) throws {
        let text = GatewayText.description(base: base, services: [(GatewayText.ip1, control)])
        #expect(try services(in: text, at: "http://192.168.1.1:5000/a/root.xml") == ["ip1 \(url)"])
    }

    @Test(
        "a service that would be called at another host is none",
        arguments: [
            (nil, "http://192.168.1.2/ctl"), (nil, "http://203.0.113.9/ctl"), (nil, "//127.0.0.1:631/ctl"),
            ("http://192.168.1.2/", "/ctl"), ("http://example.org/", "/ctl"), ("https://192.168.1.1/", "/ctl"),
            (nil, "file:///etc/passwd"), (nil, "gopher://192.168.1.1/x"), (nil, ""), (nil, "/a b"),
            ("http://192.168.1.1/", "http://192.168.1.1.example.org/ctl"),
        ]
    )
    func elsewhere(base: String?, control: String) throws {
        let text = GatewayText.description(base: base, services: [(GatewayText.ip1, control)])
        #expect(try services(in: text) == [])
    }

    @Test("a service lends nothing to the next one")
    func halves() throws {
        let text = """
            <root><service><serviceType>\(GatewayText.ip1)</serviceType></service>
            <service><controlURL>/ctl</controlURL></service><serviceType>\(GatewayText.ip1)</serviceType>
            <controlURL>/ctl</controlURL></root>
            """
        #expect(try services(in: text) == [])
    }

    @Test("four services, no more")
    func most() throws {
        let text = GatewayText.description(services: (0..<9).map { (GatewayText.ip1, "/\($0)") })
        #expect(try services(in: text).count == 4)
    }

    @Test("what is no XML, or too much of it, is an error")
    func malformed() {
        #expect(throws: XMLError.malformed) { try services(in: "<html><p>Login</html>") }
        #expect(throws: XMLError.documentType) { try services(in: "<!DOCTYPE html><html/>") }
        #expect(throws: XMLError.tooDeep) { try services(in: String(repeating: "<service>", count: 7000)) }
    }
}
