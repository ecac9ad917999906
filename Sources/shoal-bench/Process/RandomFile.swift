import Glibc
import Primitives

/// Files of random bytes: holes would not be read, and zeros may be stored as holes.
enum RandomFile {
    private static let chunkLength = 8 << 20

    /// Writes a new file; every 8 MiB of it differ in their first bytes only, which is as good for hashing and reading.
    static func write(_ size: Int64, to path: String) throws(BenchError) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .failed("cannot write \(path): \(systemError())") }
        defer { close(file) }
        var random = SeededRandom(seed: 9)
        var words = (0..<chunkLength / 8).map { _ in random.next() }
        var left = size
        while left > 0 {
            try Interruption.check()
            words[0] = random.next()
            let length = Int(min(left, Int64(chunkLength)))
            guard Glibc.write(file, words, length) == length else {
                throw .failed("cannot write \(path): \(systemError())")
            }
            left -= Int64(length)
        }
        // Whatever a disk does with it later would disturb the measurement.
        guard fsync(file) == 0 else { throw .failed("cannot write \(path): \(systemError())") }
    }

    /// Whether two files hold the same bytes.
    static func areEqual(_ first: String, _ second: String) -> Bool {
        let files = [open(first, O_RDONLY | O_CLOEXEC), open(second, O_RDONLY | O_CLOEXEC)]
        defer { for file in files where file >= 0 { close(file) } }
        guard files.allSatisfy({ $0 >= 0 }) else { return false }
        var parts = [[UInt8]](repeating: [UInt8](repeating: 0, count: chunkLength), count: 2)
        while true {
            let counts = [read(files[0], &parts[0], chunkLength), read(files[1], &parts[1], chunkLength)]
            guard counts[0] == counts[1], counts[0] >= 0 else { return false }
            if counts[0] == 0 { return true }
            guard parts[0][..<counts[0]] == parts[1][..<counts[0]] else { return false }
        }
    }
}
