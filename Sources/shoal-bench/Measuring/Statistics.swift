/// Figures of several runs, in order of size.
struct Samples {
    private let sorted: [Double]

    /// - Precondition: there is at least one.
    init(_ values: [Double]) {
        precondition(!values.isEmpty)
        sorted = values.sorted()
    }

    var least: Double { sorted[0] }
    var greatest: Double { sorted[sorted.count - 1] }

    var median: Double {
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }

    /// The least value that nine in ten do not exceed.
    var ninetieth: Double { sorted[(sorted.count * 9 + 9) / 10 - 1] }
}
