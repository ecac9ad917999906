import Kademlia

/// `shoal-bench dht memory`: what the peers that others announce to a node take, as the kernel sees it.
enum MemoryCommand {
    static let subcommand = DHTSubcommand(
        name: "memory",
        help: [
            "resident memory of a node's stored peers, each announced by an address of its",
            "own with a token, and the file in which they survive a restart",
            "--info-hashes N     info-hashes (2000)",
            "--peers N           peers of each (500)",
        ],
        run: run
    )

    private static let columns = [
        Report.Column(key: "mib", heading: "MiB"),
        Report.Column(key: "bytes_each", heading: "bytes each"),
        Report.Column(key: "seconds", heading: "seconds"),
    ]

    private static func run(_ arguments: [String]) async throws(BenchError) {
        var flags = Flags(arguments)
        var (infoHashes, peers, format) = (2000, 500, ReportFormat.table)
        while let flag = flags.next() {
            switch flag {
            case "--json": format = .jsonLines
            case "--info-hashes": infoHashes = try flags.number(of: flag, in: 1...2000, Int.init)
            case "--peers": peers = try flags.number(of: flag, in: 1...500, Int.init)
            default: throw .usage("dht memory has no option '\(flag)'")
            }
        }
        try measure(infoHashes, peers, Report(verb: "dht memory", format: format))
    }

    private static func measure(_ infoHashes: Int, _ peers: Int, _ report: Report) throws(BenchError) {
        var responder = try Responder(nodes: 2000)
        let names = responder.names(infoHashes)
        let count = infoHashes * peers
        // The first of them pays for what every node has: buffers, and the table of rates.
        try responder.store(peers: 1, under: names[0])
        let before = SystemFiles.residentMemory ?? 0
        let storing = Stopwatch()
        for name in names { try responder.store(peers: name == names[0] ? peers - 1 : peers, under: name) }
        let grown = (SystemFiles.residentMemory ?? 0) - before
        let stored = responder.node.statistics.announcesAccepted
        guard stored == count else { throw .failed("\(stored) of \(count) announcements were accepted") }
        let storedSeconds = storing.processor
        let encoding = Stopwatch()
        let file = responder.node.peerFile.encoded
        let encodedSeconds = encoding.processor
        report.show(
            "\(infoHashes) x \(peers) peers",
            columns,
            [
                ("resident", cells(grown, count, storedSeconds)),
                ("encoded for a restart", cells(file.count, count, encodedSeconds)),
            ]
        )
        report.say("\nissue 3 asks for a million peers in at most 64 MiB")
    }

    private static func cells(_ bytes: Int, _ count: Int, _ seconds: Double) -> [Cell] {
        [
            .number(Double(bytes) / 1_048_576, digits: 1), .number(Double(bytes) / Double(count), digits: 1),
            .number(seconds, digits: 2),
        ]
    }
}
