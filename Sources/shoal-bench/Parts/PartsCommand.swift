import Cryptography
import Primitives

/// `shoal-bench parts`: what parsers and machines cost without sockets and disks.
enum PartsCommand {
    private static let columns = [
        Report.Column(key: "ns", heading: "ns"),
        Report.Column(key: "allocations", heading: "allocations"),
        Report.Column(key: "sha1_blocks", heading: "of SHA-1"),
    ]

    /// A shared machine is slower for seconds at a time; each line has so many chances.
    private static let passes = 5

    static func run(_ report: Report) throws(BenchError) {
        var groups: [(title: String, measurements: [Measurement])] = []
        for _ in 0..<passes {
            let pass = [
                ("hashing", [try hash()]),
                ("bencode", try FormatParts.measured()),
                ("DHT: a datagram in, its answer out", try DHTParts.measured()),
                ("tracker: a question in, its answer out", try TrackerParts.measured()),
                ("peer wire: one message", try WireParts.measured()),
                ("swarm: one block of a 1 GiB download", try SwarmParts.measured()),
                ("choosing by records", try RecordParts.measured()),
                ("secure sessions: handshakes", try SessionParts.handshakes()),
                ("secure sessions: records, and ciphers alone", try CipherParts.measured()),
            ]
            groups = groups.isEmpty ? pass : zip(groups, pass).map { ($0.title, zip($0.1, $1.1).map { $0.better($1) }) }
        }
        guard let unit = groups.first?.measurements.first else { return }
        report.say("The last column compares with the first line: hashing one block of a download.")
        for group in groups {
            report.say("")
            show(report, group.title, group.measurements, unit: unit)
        }
        if let records = groups.last, let handshakes = groups.dropLast().last {
            report.say("")
            report.say(CipherParts.summary(of: records.measurements, handshakes: handshakes.measurements))
        }
    }

    /// The reference of all other lines: what a downloader has to do for each block anyway.
    private static func hash() throws(BenchError) -> Measurement {
        let block = [UInt8](repeating: 7, count: 16_384)
        var sha1 = SHA1()
        return try Measurement.of("SHA-1 of 16 KiB", operations: 200, on: &sha1) { sha1 in
            for _ in 0..<200 {
                sha1.update(block.span.bytes)
                Measurement.keep(sha1.finish())
            }
        }
    }

    private static func show(
        _ report: Report,
        _ title: String,
        _ measurements: [Measurement],
        unit: Measurement
    ) {
        let countsAllocations = Measurement.countsAllocations
        let rows = measurements.map { measurement in
            (
                name: measurement.name,
                cells: [
                    Cell.number(measurement.nanoseconds, digits: measurement.nanoseconds < 100 ? 1 : 0),
                    countsAllocations ? Cell.number(measurement.allocations, digits: 2) : .none,
                    Cell.number(measurement.nanoseconds / unit.nanoseconds, digits: 4),
                ]
            )
        }
        report.show(title, columns, rows)
    }
}
