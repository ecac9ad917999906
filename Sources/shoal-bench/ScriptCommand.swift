import Glibc

/// The benchmarks that are scripts of the repository, which this program stands in for.
enum ScriptCommand: String {
    /// A whole file from one client to another, beside libtorrent.
    case transfer
    /// A secure transfer beside a flood of handshakes.
    case flood

    /// Does not return but with a reason why it could not be started.
    ///
    /// - Parameter arguments: for the script, whose business they are.
    func replaceThisProcess(_ arguments: [String]) -> BenchError {
        guard let script = path else {
            return .failed("there is no Benchmarks/\(rawValue) above this program; run it from its repository's .build")
        }
        let words = ([script] + arguments).map { strdup($0) } + [nil]
        execv(script, words)
        let reason = systemError()
        for word in words { free(word) }
        return .failed("cannot run \(script): \(reason)")
    }

    /// The nearest one in the folders above this program.
    private var path: String? {
        var folders = (SystemFiles.ownPath ?? "").split(separator: "/").dropLast()
        while !folders.isEmpty {
            let path = "/" + folders.joined(separator: "/") + "/Benchmarks/" + rawValue
            if access(path, X_OK) == 0 { return path }
            folders.removeLast()
        }
        return nil
    }
}
