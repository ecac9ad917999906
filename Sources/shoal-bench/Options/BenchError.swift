/// Why there is no figure.
enum BenchError: Error {
    /// The command line makes no sense.
    case usage(String)
    /// A measurement could not be made, or what it measured did not do its work.
    case failed(String)
    case interrupted

    var message: String {
        switch self {
        case .usage(let problem): "\(problem)\nTry 'shoal-bench --help'."
        case .failed(let problem): problem
        case .interrupted: "interrupted"
        }
    }

    var exitCode: Int32 {
        switch self {
        case .usage: 2
        case .failed: 1
        case .interrupted: 130
        }
    }
}
