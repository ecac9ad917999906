import Cryptography
import Primitives

/// `shoal-bench parts`: what parsers and machines cost without sockets and disks.
enum PartsCommand {
    private static let columns = [
        Report.Column(key: "ns", heading: "ns"),
        Report.Column(key: "allocations", heading: "allocations"),
        Report.Column(key: "sha1_blocks", heading: "of SHA-1"),
    ]

    static func run(_ report: Report) throws(BenchError) {
        let unit = try hash()
        let counts = Measurement.countsAllocations
        report.say("The last column compares with the first line: hashing one block of a download.\n")
        show(report, "hashing", [unit], unit: unit, counts)
        show(report, "bencode", try FormatParts.measured(), unit: unit, counts)
        show(report, "DHT: a datagram in, its answer out", try DHTParts.measured(), unit: unit, counts)
        show(report, "peer wire: one message", try WireParts.measured(), unit: unit, counts)
        show(report, "swarm: one block of a 1 GiB download", try SwarmParts.measured(), unit: unit, counts)
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
        unit: Measurement,
        _ countsAllocations: Bool
    ) {
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
        report.say("")
    }
}
