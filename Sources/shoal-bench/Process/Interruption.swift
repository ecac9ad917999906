import CBench

/// Ctrl-C while there are files to remove: it waits until somebody asks for it.
enum Interruption {
    static func hold() { cbench_hold_interruptions() }

    static var isWanted: Bool { cbench_is_interrupted() }

    static func check() throws(BenchError) {
        if isWanted { throw .interrupted }
    }
}
