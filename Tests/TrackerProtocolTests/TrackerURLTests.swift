import Primitives
import Testing

@testable import TrackerProtocol

@Suite("URLs of trackers")
struct TrackerURLTests {
    @Test(
        "where it announces, and where it is scraped (BEP 48)",
        arguments: [
            ("http://h:6969", "http://h:6969/announce", "http://h:6969/scrape"),
            ("HTTP://h:6969/", "http://h:6969/announce", "http://h:6969/scrape"),
            ("http://h/x/announce.php?k=1", "http://h/x/announce.php?k=1", "http://h/x/scrape.php?k=1"),
            ("https://h/announce", "https://h/announce", "https://h/scrape"),
            ("https://h:444/a", "https://h:444/a", nil),
            ("http://[::1]:1/announce#x", "http://[::1]:1/announce", "http://[::1]:1/scrape"),
            ("http://h:1/announce/00ff", "http://h:1/announce/00ff", "http://h:1/scrape/00ff"),
            ("udp://h:6969", "udp://h:6969/announce", "udp://h:6969/announce"),
            ("http://h:1?x", "http://h:1/?x", nil),
        ] as [(String, String, String?)]
    )
    func parts(text: String, announce: String, scrape: String?) throws {
        let url = try #require(TrackerURL(text))
        #expect(url.text == announce)
        #expect(url.scrape?.text == scrape)
    }

    @Test(
        "what is none",
        arguments: [
            "", "h:6969", "ftp://h:1", "udp://h", "http://", "http://h:0", "http://h:", "http://u:p@h:1/announce",
            "http://h:1/a b", "http://h:1/\r\nX: y", "http://é/announce", "udp://h:99999",
            "http://h/" + String(repeating: "a", count: 2048),
        ]
    )
    func refused(text: String) {
        #expect(TrackerURL(text) == nil)
    }

    @Test("a passkey goes to the tracker that gave it, where the URL names none")
    func passkeys() throws {
        let passkeys = ["h:6969": "abc"]
        #expect(try #require(TrackerURL("http://H:6969")).with(passkeys: passkeys).path == "/announce/abc")
        #expect(try #require(TrackerURL("udp://h:6969")).with(passkeys: passkeys).path == "/announce/abc")
        #expect(try #require(TrackerURL("http://h:6969/x")).with(passkeys: passkeys).path == "/x")
        #expect(try #require(TrackerURL("http://h:6970")).with(passkeys: passkeys).path == "/announce")
    }

    @Test(
        "a stranger sends us into our own network only to announce",
        arguments: [
            ("http://192.168.0.1/reboot?now=1", false), ("http://127.0.0.1:8080/x", false),
            ("http://localhost/x", false),
            ("http://[::1]/announce?a=/x", false), ("http://192.168.0.1:6969/announce", true),
            ("http://127.0.0.1/announce/\(String(repeating: "a5", count: 20))", true), ("udp://10.0.0.1:1/x", true),
            ("http://192.0.2.1/x.php?k=1", true), ("http://tracker.example/x.php?k=1", true),
        ]
    )
    func strangers(text: String, isSafe: Bool) throws {
        #expect(try #require(TrackerURL(text)).isSafeFromStrangers == isSafe)
    }

    @Test(
        "a tracker names its other nodes by number, and from the internet none in our network",
        arguments: [
            ("http://192.0.2.2:6969/announce", "192.0.2.1", true),
            ("http://192.168.0.1:6969/announce", "192.0.2.1", false),
            ("http://192.168.0.1:6969/announce", "192.168.0.2", true),
            ("http://127.0.0.1:1/announce", "192.168.0.2", false),
            ("http://127.0.0.1:1/announce", "127.0.0.1", true), ("http://name.example/announce", "192.0.2.1", false),
            ("http://192.0.2.2/x", "192.0.2.1", false),
        ]
    )
    func nodes(text: String, tracker: String, isFine: Bool) throws {
        let address = try #require(IPAddress(tracker))
        #expect(try #require(TrackerURL(text)).mayBeNamed(by: address) == isFine)
    }

    @Test("what is handed on has no passkey of ours (R13)")
    func withoutPasskey() throws {
        let passkey = String(repeating: "a5", count: 20)
        let url = try #require(TrackerURL("http://h:1/announce/\(passkey)"))
        #expect(url.passkey == passkey && url.withoutPasskey.text == "http://h:1/announce")
        for text in ["http://h:1/announce", "http://h:1/announce/\(passkey)0", "http://h:1/x/\(passkey)"] {
            let other = try #require(TrackerURL(text))
            #expect(other.passkey == nil && other.withoutPasskey == other)
        }
    }

    @Test("what is shown has no path, for that may hold a passkey (R13)")
    func shown() throws {
        #expect(try #require(TrackerURL("http://h:6969/announce/secret")).description == "http://h:6969")
    }
}
