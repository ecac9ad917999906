import Glibc

/// `shoal-bench transfer`: the transfer benchmark is a script of the repository, which this program stands in for.
enum TransferCommand {
    /// Does not return but with a reason why it could not be started.
    static func replaceThisProcess(_ arguments: [String]) -> BenchError {
        guard let script = script() else {
            return .failed("there is no Benchmarks/transfer above this program; run it from its repository's .build")
        }
        let words = ([script] + arguments).map { strdup($0) } + [nil]
        execv(script, words)
        let reason = systemError()
        for word in words { free(word) }
        return .failed("cannot run \(script): \(reason)")
    }

    /// The nearest one in the folders above this program.
    private static func script() -> String? {
        var folders = (SystemFiles.ownPath ?? "").split(separator: "/").dropLast()
        while !folders.isEmpty {
            let path = "/" + folders.joined(separator: "/") + "/Benchmarks/transfer"
            if access(path, X_OK) == 0 { return path }
            folders.removeLast()
        }
        return nil
    }
}
