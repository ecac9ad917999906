import CLinux
import Glibc

/// Unpredictable numbers from the kernel: the seeds of all `SeededRandom` generators in a real node.
package enum OSRandom {
    package static func seed() -> UInt64 {
        var seed: UInt64 = 0
        let code = withUnsafeMutableBytes(of: &seed) { clinux_random($0.baseAddress, $0.count) }
        // getrandom(2) fails only where the kernel has none (before 3.17) or a sandbox forbids it: no safe way to go
        // on.
        precondition(code == 0, "the kernel gives no random numbers")
        return seed
    }
}
