import Cryptography
import Primitives
import Storage

/// SHA-1 over blocks in the processor's cache: what `openssl speed -evp sha1` measures, in the process that checks.
struct HashingSpeed {
    private static let blockLength = 16_384
    /// Half a gibibyte a thread: long enough that starting threads is nothing beside it.
    private static let blockCount = 32_768

    private(set) var single = Throughput()
    /// As many threads as there are cores.
    ///
    /// Less than cores times one where two cores are two halves of one, or where somebody else uses them.
    private(set) var together = Throughput()

    mutating func run() throws(BenchError) {
        let bytes = Int64(HashingSpeed.blockCount * HashingSpeed.blockLength)
        var stopwatch = Stopwatch()
        HashingSpeed.hash()
        single.note(bytes, stopwatch)
        let workers = try LoopOfWorkers()
        let threads = DiskWorkers.coreCount
        stopwatch = Stopwatch()
        for _ in 0..<threads { workers.submit { HashingSpeed.hash() } }
        workers.waitUntilIdle()
        together.note(bytes * Int64(threads), stopwatch)
    }

    private static func hash() {
        let block = [UInt8](repeating: 7, count: blockLength)
        var sha1 = SHA1()
        for _ in 0..<blockCount {
            sha1.update(block.span.bytes)
            Measurement.keep(sha1.finish())
        }
    }
}
