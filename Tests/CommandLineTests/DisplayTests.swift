import Primitives
@testable import Shoal
import Testing
@testable import shoal

private let start = Instant.zero
private let erase = "\r\u{1B}[J"
private let eraseTwo = "\r\u{1B}[1A\u{1B}[J"

private func live(_ purpose: Display.Purpose = .fetch, usesColor: Bool = false) -> Display {
    Display(purpose: purpose, style: .init(isLive: true, usesColor: usesColor))
}

@Suite("The live display")
struct LiveDisplayTests {
    @Test("draws a line, and erases it before the next")
    func redraw() {
        var display = live()
        let progress = Event.progress(someProgress())
        let line = "[=======================>      ]  81.4%  834 MiB of 1.0 GiB  41.0 MiB/s  4 peers  14 s left"

        #expect(display.received(progress, width: 120, at: start) == line)
        #expect(display.received(progress, width: 120, at: start + .milliseconds(200)) == erase + line)
        #expect(display.finish(width: 120) == erase)
        #expect(display.finish(width: 120) == "")
    }

    @Test("draws at most five times a second")
    func pace() {
        var display = live()
        let progress = Event.progress(someProgress())

        #expect(display.received(progress, width: 80, at: start) != "")
        #expect(display.received(progress, width: 80, at: start + .milliseconds(199)) == "")
        #expect(display.received(progress, width: 80, at: start + .milliseconds(200)) != "")
        #expect(display.received(progress, width: 80, at: start + .milliseconds(399)) == "")
    }

    @Test("what lasts is printed above the live line at once")
    func lasting() {
        var display = live()

        #expect(
            display.received(.notice("no bootstrap node answers"), width: 120, at: start)
                == "no bootstrap node answers\n"
        )
        let line = display.received(.progress(someProgress()), width: 120, at: start + .seconds(1))
        #expect(
            display.received(.torrent(someTorrent(named: "fish")), width: 120, at: start + .seconds(1))
                == erase + "fish: 1.0 GiB, 1024 pieces\nfish  " + line
        )
    }

    @Test("peers make a second line, and both are erased")
    func peers() {
        var display = live()

        _ = display.received(.peer(somePeer(.connected, client: "libtorrent 2.1")), width: 120, at: start)
        let text = display.received(.progress(someProgress()), width: 120, at: start + .seconds(1))
        #expect(text.split(separator: "\n").last == "  from 192.0.2.9:6881 (libtorrent 2.1)")
        let closed = display.received(.peer(somePeer(.closed)), width: 120, at: start + .seconds(2))
        #expect(closed.hasPrefix(eraseTwo) && !closed.contains("from"))
    }

    @Test("a peer in a secure session is marked with a word")
    func securePeers() {
        var display = live()
        _ = display.received(.peer(someSecurePeer(.connected, client: "shoal 0.1")), width: 120, at: start)
        let text = display.received(.progress(someProgress()), width: 120, at: start + .seconds(1))
        #expect(text.split(separator: "\n").last == "  from 192.0.2.9:6881 (shoal 0.1, secure)")

        display = live()
        _ = display.received(.peer(someSecurePeer(.connected)), width: 120, at: start)
        let nameless = display.received(.progress(someProgress()), width: 120, at: start + .seconds(1))
        #expect(nameless.split(separator: "\n").last == "  from 192.0.2.9:6881 (secure)")
    }

    @Test("a window that became narrower has wrapped the line: all its rows are erased")
    func narrower() {
        var display = live()

        let line = display.received(.progress(someProgress()), width: 100, at: start)
        #expect(line.count > 40 && line.count <= 99)
        #expect(display.finish(width: 40) == "\r\u{1B}[\((line.count + 39) / 40 - 1)A\u{1B}[J")
    }

    @Test("no line is wider than the terminal", arguments: [20, 30, 40, 60, 79, 80, 100, 200])
    func widths(width: Int) {
        let name = "名前の長いファイル-é-🐟🐟🐟🐟🐟🐟🐟🐟.mp4"
        for state in [TorrentState.hashing, .checking, .metadata, .downloading, .seeding, .paused] {
            let progress = someProgress {
                $0.state = state
                $0.upRate = 123_456_789
                $0.waitingFor = "asking 142 DHT nodes; 0 peers hold this"
            }
            let lines = StatusLines(
                progress: progress,
                torrent: someTorrent(named: name),
                peers: [somePeer(.connected, client: String(repeating: "x", count: 300))],
                width: width
            ).lines
            #expect(lines.allSatisfy { Columns.count($0) <= width && !$0.isEmpty })
        }
    }

    @Test("waiting says what for")
    func waiting() {
        var display = live()
        let waiting = someProgress {
            $0.state = .metadata
            $0.size = 0
            $0.waitingFor = "asking 142 DHT nodes; 0 peers hold this"
        }
        #expect(
            display.received(.progress(waiting), width: 80, at: start) == "asking 142 DHT nodes; 0 peers hold this"
        )
        let stalled = someProgress { $0.waitingFor = "waiting for a peer with the last 3 pieces" }
        #expect(
            display.received(.progress(stalled), width: 80, at: start + .seconds(1))
                .hasSuffix("\n  waiting for a peer with the last 3 pieces")
        )
    }

    @Test("a sharer sees rate, total and peers")
    func share() {
        var display = live(.share)
        let progress = someProgress {
            $0.state = .seeding
            $0.upRate = 2 << 20
            $0.uploaded = 3 << 30
            $0.peers = 1
        }
        #expect(display.received(.torrent(someTorrent()), width: 80, at: start) == "")
        #expect(
            display.received(.progress(progress), width: 80, at: start + .seconds(1))
                == "sharing f  2.0 MiB/s up, 3.0 GiB sent  1 peer"
        )
    }

    @Test("a node sees the DHT")
    func node() {
        var display = live(.node)
        #expect(
            display.received(.dht(DHTStatus(nodes: 0, isJoined: false)), width: 80, at: start)
                == "joining the DHT: no node has answered yet"
        )
        #expect(
            display.received(.dht(DHTStatus(nodes: 142, isJoined: true)), width: 80, at: start + .seconds(1))
                == erase + "in the DHT: 142 nodes answer"
        )
    }

    @Test("a stranger's text cannot move the cursor")
    func sanitised() {
        let evil = "\u{1B}[2J\u{202E}\n\r\u{9B}31m"
        var display = Display(purpose: .fetch, style: .init(isLive: true, isVerbose: true))
        var text = display.received(.torrent(someTorrent(named: evil)), width: 300, at: start)
        text += display.received(.peer(somePeer(.connected, client: evil)), width: 300, at: start + .seconds(1))
        text += display.received(
            .progress(someProgress { $0.waitingFor = evil }),
            width: 300,
            at: start + .seconds(2)
        )
        text += display.received(.notice(evil), width: 300, at: start + .seconds(3))
        text += display.received(
            .done(Completion(infoHash: someHash, path: evil, seconds: 1, downloaded: 1, size: 1)),
            width: 300,
            at: start + .seconds(4)
        )
        text += LastingLines.line(for: ShoalError(.failed, evil), usesColor: false)
        text += ShareAnnouncement(someTorrent(), outputIsTerminal: true).output
        #expect(!text.contains("\u{1B}[2J") && !text.contains("\u{202E}") && !text.contains("\u{9B}"))
        #expect(!text.contains("\u{FFFD}[2J\u{FFFD}\n"))
    }

    @Test("colours only where they are wanted")
    func colors() {
        var plain = live()
        var coloured = live(usesColor: true)
        let error = Event.failed(infoHash: someHash, ShoalError(.files, "disk full"))
        #expect(plain.received(error, width: 80, at: start) == "shoal: disk full\n")
        #expect(coloured.received(error, width: 80, at: start) == "\u{1B}[31mshoal:\u{1B}[0m disk full\n")
    }

    @Test("quiet says nothing but errors")
    func quiet() {
        var display = Display(purpose: .fetch, style: .init(isLive: true, isQuiet: true))
        #expect(display.received(.progress(someProgress()), width: 80, at: start) == "")
        #expect(display.received(.notice("hm"), width: 80, at: start) == "")
        let error = Event.failed(infoHash: someHash, ShoalError(.files, "disk full"))
        #expect(display.received(error, width: 80, at: start) == "shoal: disk full\n")
    }
}

@Suite("Without a terminal")
struct PlainDisplayTests {
    @Test("a line at once, then one every ten seconds")
    func pace() {
        var display = Display(purpose: .fetch, style: .init())
        let progress = Event.progress(someProgress())
        let line = "[=======================>      ]  81.4%  834 MiB of 1.0 GiB  41.0 MiB/s  4 peers  14 s left\n"

        #expect(display.received(progress, width: 80, at: start) == line)
        #expect(display.received(progress, width: 80, at: start + .milliseconds(9999)) == "")
        #expect(display.received(progress, width: 80, at: start + .seconds(10)) == line)
        #expect(display.finish(width: 80) == "")
    }

    @Test("a sharer that runs for weeks speaks when something changed")
    func unchanged() {
        var display = Display(purpose: .share, style: .init())
        var progress = someProgress { $0.state = .seeding }

        #expect(display.received(.progress(progress), width: 80, at: start) != "")
        #expect(display.received(.progress(progress), width: 80, at: start + .seconds(10)) == "")
        progress.uploaded += 1 << 30
        #expect(display.received(.progress(progress), width: 80, at: start + .seconds(20)) != "")
    }

    @Test("the end of a fetch")
    func done() {
        var display = Display(purpose: .fetch, style: .init())
        let fetched = Completion(infoHash: someHash, path: "/d/f", seconds: 3.2, downloaded: 256 << 20, size: 256 << 20)
        #expect(
            display.received(.done(fetched), width: 80, at: start)
                == "fetched and verified /d/f: 256 MiB in 3.2 s (80.0 MiB/s)\n"
        )
        let present = Completion(infoHash: someHash, path: "/d/f", seconds: 0.1, downloaded: 0, size: 256 << 20)
        #expect(
            display.received(.done(present), width: 80, at: start) == "verified /d/f: 256 MiB, everything was there\n"
        )
    }

    @Test("a path too long for the terminal gets a line of its own")
    func longPath() {
        var display = live()
        let path = "/" + String(repeating: "d/", count: 50) + "f"
        let fetched = Completion(infoHash: someHash, path: path, seconds: 3.2, downloaded: 256 << 20, size: 256 << 20)
        #expect(
            display.received(.done(fetched), width: 80, at: start)
                == "fetched and verified 256 MiB in 3.2 s (80.0 MiB/s):\n\(path)\n"
        )
    }

    @Test("a ban is always worth a line, coming and going only with -v")
    func peers() {
        var display = Display(purpose: .fetch, style: .init())
        var verbose = Display(purpose: .fetch, style: .init(isVerbose: true))
        let banned = Event.peer(somePeer(.banned, reason: "bad_piece_data"))
        #expect(display.received(banned, width: 80, at: start) == "peer 192.0.2.9:6881 banned: bad piece data\n")
        let connected = Event.peer(somePeer(.connected, client: "aria2 1.36"))
        #expect(display.received(connected, width: 80, at: start) == "")
        #expect(
            verbose.received(connected, width: 80, at: start)
                == "peer 192.0.2.9:6881 connected, aria2 1.36, known from dht\n"
        )
    }
}

@Suite("What is said of a peer")
struct PeerLineTests {
    private func line(_ peer: PeerStatus, isVerbose: Bool = true, usesColor: Bool = false) -> String? {
        PeerLine.text(for: peer, style: .init(usesColor: usesColor, isVerbose: isVerbose))
    }

    @Test("with -v a secure peer's key, which the session proves, and how a record's key came to be known")
    func keys() {
        var peer = someSecurePeer(.connected, client: "shoal 0.1")
        #expect(line(peer) == "peer 192.0.2.9:6881 connected, shoal 0.1, secure, known from dht, key \(nodeKey)")
        peer.isChosenForRecord = true
        #expect(line(peer)?.hasSuffix(", known from dht, chosen for its record, key \(nodeKey)") == true)
        peer.isSecure = false
        #expect(
            line(peer)?.hasSuffix(", shoal 0.1, known from dht, chosen for its record signed by \(nodeKey)") == true
        )
        peer.isChosenForRecord = false
        #expect(line(peer)?.hasSuffix(", known from dht, record signed by \(nodeKey)") == true)
        #expect(line(peer, isVerbose: false) == nil)
    }

    @Test(
        "why a peer is refused is a sentence, and what could be an attack is said without -v too",
        arguments: [
            (
                "secure_downgrade_refused", nil,
                "spoke SPS/1 before and now does not: not falling back to plain", true
            ),
            ("peer_identity_mismatch", nil, "has another key than the one it has to have: not talking to it", true),
            (
                "certificate_clock", "peer certificate: not valid at local time (off by ~2 d)",
                "peer certificate: not valid at local time (off by ~2 d); one of the two clocks is wrong: set it", true
            ),
            ("not_trusted", nil, "its key is not in the trust list", false),
            ("plain_refused", nil, "speaks plain BitTorrent only, and sessions have to be secure", false),
            ("too_slow", nil, "too slow", false), ("too_slow", "three times", "three times", false),
        ] as [(String, String?, String, Bool)]
    )
    func reasons(reason: String, detail: String?, sentence: String, isWarning: Bool) {
        var peer = somePeer(.refused, reason: reason)
        peer.detail = detail
        let text = "peer 192.0.2.9:6881 refused: \(sentence)"
        #expect(line(peer) == text)
        #expect(line(peer, isVerbose: false) == (isWarning ? text : nil))
        #expect(line(peer, usesColor: true) == (isWarning ? Paint.yellow(text) : text))
    }

    @Test("with -v who was turned away is counted, in a line every ten seconds")
    func refusals() {
        let line =
            "connections turned away so far: 1 plain, 2 encrypted in a way of their own or unknown, 4 too often, "
            + "6 of hosts that had failed too often\n"
        var display = Display(purpose: .share, style: .init())
        #expect(display.received(.refusals(someRefusals()), width: 80, at: start) == "")
        display = Display(purpose: .share, style: .init(isVerbose: true))
        #expect(display.received(.refusals(someRefusals()), width: 80, at: start) == line)
        #expect(display.received(.refusals(someRefusals()), width: 80, at: start + .milliseconds(9999)) == "")
        #expect(display.received(.refusals(someRefusals()), width: 80, at: start + .seconds(10)) == line)
    }

    @Test("who was refused goes by its address alone")
    func refusedClient() {
        #expect(
            line(somePeer(.refused, client: "unknown", reason: "not_trusted"))
                == "peer 192.0.2.9:6881 refused: its key is not in the trust list"
        )
    }

    @Test("what a stranger gives as a reason cannot move the cursor")
    func sanitised() {
        let text = line(someSecurePeer(.closed, reason: "limit", detail: "\u{1B}[2J\u{202E}\n"))
        #expect(text?.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" || $0 == "\n" } == false)
    }
}

@Suite("Text for people")
struct HumanTextTests {
    @Test(
        "sizes",
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (101 << 10, "101 KiB"),
            ((1 << 20) - 1, "1.0 MiB"), (1 << 30, "1.0 GiB"), (.max, "8192 PiB"),
        ] as [(Int64, String)]
    )
    func sizes(bytes: Int64, text: String) {
        #expect(HumanUnits.size(bytes) == text)
    }

    @Test(
        "times",
        arguments: [
            (0, "<1 s"), (14.9, "14 s"), (125, "2 min 05 s"), (3780, "1 h 03 min"), (273_600, "3 d 4 h"),
            (1e9, "over 99 d"), (.infinity, "over 99 d"), (.nan, "over 99 d"), (-5, "<1 s"),
        ]
    )
    func times(seconds: Double, text: String) {
        #expect(HumanUnits.duration(seconds: seconds) == text)
    }

    @Test("elapsed", arguments: [(0.0871, "0.087 s"), (3.24, "3.2 s"), (65, "1 min 05 s"), (-1, "0.000 s")])
    func elapsed(seconds: Double, text: String) {
        #expect(HumanUnits.elapsed(seconds: seconds) == text)
    }

    @Test(
        "columns",
        arguments: [("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本", 4), ("🐟", 2), ("", 0), ("a\u{200D}b", 2)]
    )
    func columns(text: String, count: Int) {
        #expect(Columns.count(text) == count)
    }

    @Test(
        "truncation keeps whole characters",
        arguments: [("日本語", 5, "日.."), ("abcdef", 5, "abc.."), ("ab", 2, "ab"), ("abc", 1, ".")]
    )
    func truncated(text: String, limit: Int, result: String) {
        #expect(Columns.truncated(text, to: limit) == result)
    }

    @Test(
        "one word for a shell",
        arguments: [
            ("a-b_c.d/e:f", "a-b_c.d/e:f"), ("", "''"), ("a b", "'a b'"), ("it's", #"'it'\''s'"#), ("$(x)", "'$(x)'"),
            ("a&b?c", "'a&b?c'"),
        ]
    )
    func quoted(text: String, word: String) {
        #expect(ShellText.quoted(text) == word)
    }

    @Test("a piped share prints the magnet link alone on standard output; a person reads the command")
    func announcement() {
        let magnet = someTorrent().magnet
        let command = "Fetch it on any machine with:\n  shoal fetch '\(magnet)'\n"
        let piped = ShareAnnouncement(someTorrent(), outputIsTerminal: false)
        #expect(piped.output == magnet + "\n" && piped.errors == command)
        let terminal = ShareAnnouncement(someTorrent(), outputIsTerminal: true)
        #expect(terminal.output == "\(magnet)\n\n\(command)\n" && terminal.errors == "")
    }

    @Test(
        "who shares with few says with whom",
        arguments: [
            (nil, "friends", "a machine whose key you trust,"), ("k", nil, "a machine that has the swarm key too,"),
            ("k", "friends", "a machine that has the swarm key too, and whose key you trust,"),
        ] as [(String?, String?, String)]
    )
    func restricted(swarmKey: String?, trust: String?, place: String) {
        var network = Network()
        (network.swarmKeyFile, network.trustFile) = (swarmKey, trust)
        let announcement = ShareAnnouncement(someTorrent(), outputIsTerminal: false, network: network)
        #expect(announcement.errors.hasPrefix("Fetch it on \(place) with:\n  shoal fetch '"))
    }

    @Test("who shares with a private swarm hands on a command that names the swarm's key")
    func privateAnnouncement() {
        var network = Network()
        network.swarmKeyFile = "my family.key"
        let announcement = ShareAnnouncement(someTorrent(), outputIsTerminal: false, network: network)
        #expect(announcement.output == someTorrent().magnet + "\n")
        #expect(
            announcement.errors.hasPrefix("Fetch it on a machine that has the swarm key too, with:\n  shoal fetch '")
        )
        #expect(announcement.errors.hasSuffix("' --swarm-key 'my family.key'\n"))
    }
}
