import Glibc

/// Ctrl-C while there are files to remove: the signal waits until somebody asks for it.
enum Interruption {
    /// To be called before any thread starts: each takes its mask from the one that makes it.
    static func hold() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    static var isWanted: Bool {
        var signals = sigset_t()
        sigemptyset(&signals)
        return sigpending(&signals) == 0 && [SIGINT, SIGTERM, SIGHUP].contains { sigismember(&signals, $0) == 1 }
    }

    static func check() throws(BenchError) {
        if isWanted { throw .interrupted }
    }
}
