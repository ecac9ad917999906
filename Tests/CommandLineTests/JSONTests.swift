@testable import Shoal
import Testing
@testable import shoal

/// A torrent in the middle of things; a test changes what it is about.
func someProgress(_ change: (inout Progress) -> Void = { _ in }) -> Progress {
    var progress = Progress(
        infoHash: someHash,
        state: .downloading,
        done: 874_512_384,
        size: 1_073_741_824,
        downRate: 42_991_616,
        upRate: 0,
        downloaded: 874_512_384,
        uploaded: 0,
        peers: 4,
        secondsLeft: 14,
        waitingFor: nil
    )
    change(&progress)
    return progress
}

func someTorrent(named name: String = "f") -> TorrentInfo {
    TorrentInfo(
        infoHash: someHash,
        name: name,
        size: 1_073_741_824,
        pieceLength: 1_048_576,
        pieces: 1024,
        files: 1,
        magnet: "magnet:?xt=urn:btih:\(someHash)&dn=f"
    )
}

func somePeer(_ state: PeerStatus.State, client: String? = nil, reason: String? = nil) -> PeerStatus {
    PeerStatus(
        infoHash: someHash,
        address: "192.0.2.9:6881",
        state: state,
        source: "dht",
        client: client,
        reason: reason,
        downloaded: 5,
        pieces: 1
    )
}

let nodeKey = "sp1-aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4j2ja"

/// A peer in a secure session, or one that had hoped for it.
func someSecurePeer(
    _ state: PeerStatus.State,
    client: String? = nil,
    reason: String? = nil,
    detail: String? = nil
) -> PeerStatus {
    var peer = somePeer(state, client: client, reason: reason)
    (peer.isSecure, peer.key, peer.detail) = (true, nodeKey, detail)
    return peer
}

func someRefusals() -> Refusals {
    var refusals = Refusals()
    (refusals.plain, refusals.mseOrUnknown, refusals.hellos, refusals.banned) = (1, 2, 4, 6)
    return refusals
}

@Suite("JSON lines")
struct JSONTests {
    @Test(
        "each event has its names, in their order",
        arguments: [
            (
                .listening(Listening(address: "127.0.0.1:6881", nodeID: "ab", key: "sp1-k")),
                #"{"event":"listening","address":"127.0.0.1:6881","node_id":"ab","key":"sp1-k","key_origin":"kept"}"#
            ),
            (
                .listening(
                    Listening(
                        address: "0.0.0.0:6881",
                        address6: "[::]:6881",
                        nodeID: "ab",
                        key: "sp1-k",
                        keyOrigin: .folderInUse
                    )
                ),
                #"{"event":"listening","address":"0.0.0.0:6881","address6":"[::]:6881","node_id":"ab","key":"sp1-k","key_origin":"folder_in_use"}"#
            ),
            (
                .published(
                    Publication(infoHash: someHash, magnet: "magnet:?xs=urn:btpk:ab", key: "ab", sequence: 7, nodes: 8)
                ),
                #"{"event":"published","info_hash":"\#(someHash)","magnet":"magnet:?xs=urn:btpk:ab","key":"ab","seq":7,"nodes":8}"#
            ),
            (
                .version(TorrentVersion(infoHash: someHash, sequence: 7, previous: 5)),
                #"{"event":"version","info_hash":"\#(someHash)","seq":7,"previous":5}"#
            ),
            (.dht(DHTStatus(nodes: 3, isJoined: true)), #"{"event":"dht","nodes":3,"joined":true}"#),
            (
                .torrent(someTorrent()),
                #"{"event":"torrent","info_hash":"\#(someHash)","name":"f","size":1073741824,"piece_length":1048576,"#
                    + #""pieces":1024,"files":1,"magnet":"magnet:?xt=urn:btih:\#(someHash)&dn=f"}"#
            ),
            (
                .progress(someProgress()),
                #"{"event":"progress","info_hash":"\#(someHash)","state":"downloading","done":874512384,"#
                    + #""size":1073741824,"percent":81.4,"down_bps":42991616,"up_bps":0,"downloaded":874512384,"#
                    + #""uploaded":0,"peers":4,"eta_s":14}"#
            ),
            (
                .peer(somePeer(.connected, client: "shoal 0.1")),
                #"{"event":"peer","info_hash":"\#(someHash)","address":"192.0.2.9:6881","state":"connected","#
                    + #""source":"dht","secure":false,"client":"shoal 0.1","downloaded":5,"pieces":1}"#
            ),
            (
                .peer(someSecurePeer(.connected, client: "shoal 0.1")),
                #"{"event":"peer","info_hash":"\#(someHash)","address":"192.0.2.9:6881","state":"connected","#
                    + #""source":"dht","secure":true,"key":"\#(nodeKey)","client":"shoal 0.1","downloaded":5,"pieces":1}"#
            ),
            (
                .peer(someSecurePeer(.refused, reason: "certificate_clock", detail: "off by ~2 d")),
                #"{"event":"peer","info_hash":"\#(someHash)","address":"192.0.2.9:6881","state":"refused","#
                    + #""source":"dht","secure":true,"key":"\#(nodeKey)","reason":"certificate_clock","#
                    + #""detail":"off by ~2 d","downloaded":5,"pieces":1}"#
            ),
            (
                .peer(somePeer(.banned, reason: "bad_piece_data")),
                #"{"event":"peer","info_hash":"\#(someHash)","address":"192.0.2.9:6881","state":"banned","#
                    + #""source":"dht","secure":false,"reason":"bad_piece_data","downloaded":5,"pieces":1}"#
            ),
            (
                .refusals(someRefusals()),
                #"{"event":"refusals","plain":1,"mse_or_unknown":2,"handshakes":0,"hellos":4,"crowded":0,"banned":6}"#
            ),
            (
                .done(Completion(infoHash: someHash, path: "/home/u/f", seconds: 34.1, downloaded: 7, size: 8)),
                #"{"event":"done","info_hash":"\#(someHash)","path":"/home/u/f","size":8,"downloaded":7,"#
                    + #""seconds":34.1,"verified":true}"#
            ),
            (
                .failed(infoHash: someHash, ShoalError(.files, "disk full")),
                #"{"event":"error","code":"files","exit":6,"info_hash":"\#(someHash)","message":"disk full"}"#
            ),
            (.notice("hm"), #"{"event":"notice","message":"hm"}"#),
        ] as [(Event, String)]
    )
    func lines(event: Event, line: String) {
        #expect(JSONLines.line(for: event) == line)
    }

    @Test("the error that ends the program")
    func error() {
        #expect(
            JSONLines.line(for: ShoalError(.noPeers, "no peer answered in 120 s"))
                == #"{"event":"error","code":"no_peers","exit":3,"message":"no peer answered in 120 s"}"#
        )
    }

    @Test("a name from a stranger cannot end the line, the text or reach the terminal")
    func escapes() {
        let name = "a\"b\\c/d\n\u{1B}[2J\u{9B}\u{202E}\u{2028}\u{E0001}é🐟"
        #expect(
            JSONLines.line(for: .notice(name))
                == #"{"event":"notice","message":"a\"b\\c/d\n\u001b[2J\u009b\u202e\u2028\udb40\udc01é🐟"}"#
        )
    }

    @Test("an unknown time to go is null, what it waits for is said")
    func unknown() {
        let line = JSONLines.line(
            for: .progress(
                someProgress {
                    $0.secondsLeft = nil
                    $0.waitingFor = "peers"
                }
            )
        )
        #expect(line.hasSuffix(#""eta_s":null,"waiting_for":"peers"}"#))
    }

    @Test(
        "percent never says 100 before everything is there",
        arguments: [(0, 0, 0), (1, 3, 33.3), (999_999, 1_000_000, 99.9), (5, 5, 100), (-1, 5, 0), (7, 5, 100)]
    )
    func percent(done: Int64, size: Int64, percent: Double) {
        let progress = someProgress {
            $0.done = done
            $0.size = size
        }
        #expect(progress.percent == percent)
    }

    @Test("an empty torrent is complete when it is shared")
    func emptyTorrent() {
        #expect(
            someProgress {
                $0.size = 0
                $0.state = .seeding
            }.percent == 100
        )
    }

    @Test(
        "decimals",
        arguments: [
            (0, 1, "0.0"), (0.05, 1, "0.1"), (34.1, 3, "34.100"), (-1.26, 1, "-1.3"), (-0.01, 1, "0.0"), (12, 0, "12"),
            (0.000123, 6, "0.000123"), (1e14, 6, nil), (.nan, 1, nil), (.infinity, 1, nil), (1e300, 1, nil),
        ] as [(Double, Int, String?)]
    )
    func decimals(value: Double, digits: Int, text: String?) {
        #expect(DecimalText.fixed(value, digits: digits) == text)
    }
}
