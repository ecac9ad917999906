/// Bytes counted, and a smoothed rate from samples about a second apart.
struct RateMeter {
    private(set) var total: Int64 = 0
    private var pending = 0
    private(set) var bytesPerSecond = 0.0
    /// Whether a sample with bytes in it was taken yet.
    private(set) var isKnown = false

    mutating func add(_ bytes: Int) {
        total &+= Int64(bytes)
        pending &+= bytes
    }

    /// Ends a sample. The weight gives half a dozen seconds of memory.
    mutating func sample(over seconds: Double) {
        guard seconds > 0 else { return }
        let sample = Double(pending) / seconds
        bytesPerSecond = isKnown ? bytesPerSecond + (sample - bytesPerSecond) * 0.4 : sample
        isKnown = isKnown || pending > 0
        pending = 0
    }
}
