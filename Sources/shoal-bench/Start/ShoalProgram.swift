import Glibc
import Primitives

/// The `shoal` that was built together with this program.
struct ShoalProgram {
    private let path: String

    init() throws(BenchError) {
        let own = SystemFiles.ownPath ?? ""
        path = own.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/shoal"
        guard access(path, X_OK) == 0 else {
            throw .failed("\(path) is not there: build it in the same way as this program")
        }
    }

    /// Seconds that the process takes to do nothing.
    func timeOfVersion() throws(BenchError) -> Double {
        let child = try Child([path, "version"])
        child.readLines { _, _ in }
        return try child.seconds(expecting: 0)
    }

    /// Fetches once, with a state of its own, and makes sure that the right bytes came.
    func fetch(
        _ network: LoopbackNetwork,
        into folder: String,
        comparing original: String
    ) throws(BenchError) -> FetchTimes {
        guard mkdir(folder, 0o700) == 0 else { throw .failed("cannot make \(folder): \(systemError())") }
        let child = try Child([
            path, "fetch", network.infoHash, "--output", folder + "/file", "--state", folder + "/state",
            "--bootstrap", network.bootstrap, "--listen", "127.0.0.1:0", "--json",
        ])
        var times = FetchTimes()
        child.readLines { line, seconds in times.note(line, at: seconds) }
        times.exited = try child.seconds(expecting: 0)
        guard RandomFile.areEqual(folder + "/file", original) else { throw .failed("a fetch brought the wrong bytes") }
        return times
    }
}

/// When a fetch said what, in seconds since its process was started.
struct FetchTimes {
    var exited = 0.0
    private(set) var listening: Double?
    private(set) var joined: Double?
    private(set) var connected: Double?
    private(set) var metadata: Double?
    private(set) var done: Double?

    /// What happened on the way, in order.
    var stages: [(name: String, seconds: Double?)] {
        [
            ("it listens", listening), ("a DHT node answered", joined), ("a peer is connected", connected),
            ("the metadata is there", metadata), ("the file is there", done),
        ]
    }

    mutating func note(_ line: String, at seconds: Double) {
        switch true {
        case line.contains("\"event\":\"listening\""): listening = listening ?? seconds
        case line.contains("\"event\":\"dht\"") && line.contains("\"joined\":true"): joined = joined ?? seconds
        case line.contains("\"event\":\"peer\"") && line.contains("\"state\":\"connected\""):
            connected = connected ?? seconds
        case line.contains("\"event\":\"torrent\""): metadata = metadata ?? seconds
        case line.contains("\"event\":\"done\""): done = done ?? seconds
        default: break
        }
    }
}
