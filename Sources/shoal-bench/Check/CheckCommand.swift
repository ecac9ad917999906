import Glibc
import Storage

/// `shoal-bench check`: how fast data on disk is checked, against what SHA-1 alone allows.
enum CheckCommand {
    private static let rounds = 3
    private static let gibibyte = 1_073_741_824.0

    static func run(_ options: Options.Check) throws(BenchError) {
        Interruption.hold()
        let report = Report(verb: "check", format: options.format)
        let size = Int64(options.gib * gibibyte)
        let folder = try TemporaryFolder(in: options.folder ?? roomyFolder(for: size))
        report.say("writing \(size >> 20) MiB of random data to \(folder.path)\n")
        try RandomFile.write(size, to: folder.path + "/data")
        var hashing = HashingSpeed()
        var checking = try CheckingSpeed(size: size, folder: folder.path)
        // In turns: what disturbs the machine disturbs all of them.
        for _ in 0..<rounds {
            try Interruption.check()
            try hashing.run()
            try Interruption.check()
            try checking.run()
        }
        show(report, size: size, hashing, checking)
    }

    private static func show(_ report: Report, size: Int64, _ hashing: HashingSpeed, _ checking: CheckingSpeed) {
        let cores = DiskWorkers.coreCount
        let reference = hashing.single.rate * Double(cores)
        func row(_ name: String, rate: Double, cost: Double, peak: Cell = .none) -> (name: String, cells: [Cell]) {
            let figures = [
                Cell.number(rate / gibibyte, digits: 3), .number(rate / reference, digits: 3), .number(cost, digits: 3),
                .number(hashing.single.cost / cost, digits: 3), peak,
            ]
            return (name, figures)
        }
        let peak = Cell.number(Double(checking.peakMemory) / 1_048_576, digits: 1)
        report.show(
            "\(size >> 20) MiB, \(cores) cores, best of \(rounds)",
            [
                Report.Column(key: "gib_per_second", heading: "GiB/s"),
                Report.Column(key: "rate_ratio", heading: "ratio"),
                Report.Column(key: "cpu_seconds_per_gib", heading: "CPU s/GiB"),
                Report.Column(key: "cpu_ratio", heading: "ratio"),
                Report.Column(key: "peak_mib", heading: "peak MiB"),
            ],
            [
                row("SHA-1, one thread", rate: hashing.single.rate, cost: hashing.single.cost),
                row("cores x one thread", rate: reference, cost: hashing.single.cost),
                row("SHA-1, all cores at once", rate: hashing.together.rate, cost: hashing.together.cost),
                row(
                    "checking the file",
                    rate: checking.throughput.rate,
                    cost: checking.throughput.cost,
                    peak: peak
                ),
            ]
        )
        report.say("\nRatios to the second line; issue 2 asks for 0.8 of its rate, performance.md for 0.9.")
    }

    /// Memory that is a folder, where it has room: then no disk is measured.
    private static func roomyFolder(for size: Int64) -> String {
        var status = statvfs()
        guard statvfs("/dev/shm", &status) == 0 else { return TemporaryFolder.usual }
        let free = Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
        let needed = size + (512 << 20)
        return free >= needed && SystemFiles.availableMemory ?? 0 >= needed ? "/dev/shm" : TemporaryFolder.usual
    }
}
