/// What `--help` prints.
enum Help {
    static var text: String { head + DHTCommand.help + SwarmCommand.help + tail }

    /// The lines of a subcommand beside its name; those of options below it.
    static func lines(_ lines: [String], below name: String) -> String {
        var (text, name) = ("", name)
        for line in lines {
            let isOption = line.hasPrefix("--")
            text += isOption ? "    " + line : name + String(repeating: " ", count: max(1, 20 - name.count)) + line
            text += "\n"
            name = ""
        }
        return text
    }

    private static let head = """
        shoal-bench VERB [OPTION...]

        Measures shoal. Every figure stands beside a reference that was measured in the same run; on a
        shared machine only the ratios mean something.

        parts               parsers and machines alone: nanoseconds and heap allocations for each
                            operation, and its time as a part of hashing one block of 16 KiB
        check               checking a file on disk with all cores, against cores x SHA-1
            --gib N         size of the file (4)
            --folder DIR    where it goes (/dev/shm where it has room, else $TMPDIR)
        start               process start to exit of 'shoal fetch INFOHASH', 1 MiB, in a network of nodes
                            on loopback, against 'shoal version'
            --nodes N       nodes of the network (20)
            --runs N        fetches (20)

        """

    private static let tail = """
        transfer ARG...     Benchmarks/transfer of this repository: 1 GiB against libtorrent, in plain or secure
        flood ARG...        Benchmarks/flood: a secure transfer while somebody says 1000 hellos a second

        Options of all but transfer
            --json          one JSON object a line
        -h, --help          explain and exit

        Build it with 'swift build -c release'; 'start' runs the 'shoal' beside it.

        """
}
