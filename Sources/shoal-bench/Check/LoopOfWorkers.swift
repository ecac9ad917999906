import Glibc
import Storage

/// Disk workers and a thread that does nothing but take their results, in the place of the engine's loop.
final class LoopOfWorkers {
    private let workers: DiskWorkers
    /// What the workers ring: reading from one end waits for a byte at the other.
    private let bell: [Int32]

    init() throws(BenchError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .failed("no pipe: \(systemError())") }
        bell = ends
        do throws(StorageError) {
            workers = try DiskWorkers { [ring = ends[1]] in _ = write(ring, "!", 1) }
        } catch {
            for end in ends { close(end) }
            throw .failed("no threads: \(error.message)")
        }
    }

    deinit {
        workers.shutDown()
        for end in bell { close(end) }
    }

    func submit(_ work: @escaping @Sendable () -> Void) { workers.submit(.bulk, work) { _ in } }

    func run(_ verifier: Verifier, then completion: @escaping (Result<Void, StorageError>) -> Void) {
        workers.run(verifier, then: completion)
    }

    /// - Parameter meanwhile: called whenever results have come.
    func waitUntilIdle(_ meanwhile: () -> Void = {}) {
        var bytes = [UInt8](repeating: 0, count: 64)
        while workers.pendingCount > 0 {
            _ = read(bell[0], &bytes, bytes.count)
            workers.drainCompletions()
            meanwhile()
        }
    }
}
