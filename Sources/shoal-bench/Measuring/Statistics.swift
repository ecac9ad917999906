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
    var ninetieth: Double { percentile(90) }

    /// The least value that so many of a hundred do not exceed.
    func percentile(_ percent: Int) -> Double { sorted[max(0, (sorted.count * percent + 99) / 100 - 1)] }
}
