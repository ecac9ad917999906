import Primitives
import Testing

@testable import PortMapping

@Suite("URLs of a gateway")
struct LocalURLTests {
    @Test(
        "an address and a path are read, the port is 80 where none is named",
        arguments: [
            ("http://192.168.1.1", "http://192.168.1.1:80/"), ("http://10.0.0.138/", "http://10.0.0.138:80/"),
            ("HTTP://172.16.0.1:49000/igd.xml", "http://172.16.0.1:49000/igd.xml"),
            ("http://192.168.1.1:/a?b=c", "http://192.168.1.1:80/a?b=c"),
            ("http://127.0.0.1:5000?x", "http://127.0.0.1:5000/?x"), ("http://10.0.0.1/a#b", "http://10.0.0.1:80/a"),
        ]
    )
    func absolute(text: String, read: String) {
        #expect(LocalURL(text)?.description == read)
    }

    @Test(
        "names, other schemes, other networks, IPv6, logins, blanks and odd ports are refused",
        arguments: [
            "", "http://", "http://router.local/", "https://192.168.1.1/", "file:///etc/passwd", "http://8.8.8.8/",
            "http://[fe80::1]/", "http://192.168.1.1@8.8.8.8/", "http://a:b@192.168.1.1/", "http://192.168.1.1:0/",
            "http://192.168.1.1:65536/", "http://192.168.1.1:+80/", "http://192.168.1.1:80:80/", "http://192.168.1/",
            "http://192.168.1.1/a b", "http://192.168.1.1/\r\nX: y", "http://192.168.1.1/ü", "http://0300.168.1.1/",
            "http://3232235777/", "http://239.255.255.250/", "http://0.0.0.0/", "ftp://192.168.1.1/", "192.168.1.1/a",
            "http://255.255.255.255/", "http://192.168.1.1\\@8.8.8.8/",
        ]
    )
    func refused(text: String) {
        #expect(LocalURL(text) == nil)
    }

    @Test("512 bytes, no more", arguments: [(493, true), (494, false)])
    func length(count: Int, isRead: Bool) {
        #expect((LocalURL("http://192.168.1.1/" + String(repeating: "a", count: count)) != nil) == isRead)
    }

    @Test(
        "references are resolved (RFC 3986)",
        arguments: [
            ("/ctl/IPConn", "http://192.168.1.1:5000/ctl/IPConn"), ("ctl", "http://192.168.1.1:5000/a/ctl"),
            ("?x=/y", "http://192.168.1.1:5000/a/b.xml?x=/y"), ("#x", "http://192.168.1.1:5000/a/b.xml?q=/z"),
            ("../c", "http://192.168.1.1:5000/a/../c"), ("//10.0.0.1:7/c", "http://10.0.0.1:7/c"),
            ("http://192.168.1.1:49000/c", "http://192.168.1.1:49000/c"), ("c:d", nil), ("https://192.168.1.1/", nil),
            ("//8.8.8.8/c", nil), ("http://router/c", nil), ("", nil), ("a b", nil),
            ("/c:d", "http://192.168.1.1:5000/c:d"), ("c/d:e", "http://192.168.1.1:5000/a/c/d:e"),
        ]
    )
    func references(reference: String, resolved: String?) throws {
        let base = try #require(LocalURL("http://192.168.1.1:5000/a/b.xml?q=/z"))
        #expect(base.resolving(reference)?.description == resolved)
    }
}
