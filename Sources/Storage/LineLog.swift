import Glibc

/// A file that grows by lines; a disk worker writes them, in order, so that whoever has something to say never waits.
///
/// Belongs to the loop, as `DiskWorkers`.
package final class LineLog {
    /// Lines that wait for a slow disk; beyond them it is said how many are missing.
    private static let mostWaiting = 10_000

    private let workers: DiskWorkers
    private let file: FileHandle
    private var waiting: [String] = []
    private var missed = 0
    private var isWriting = false
    /// What went wrong; nothing is written after it.
    package private(set) var failure: StorageError?

    /// Opens the file for appending, and makes it where there is none; the path is the person's own.
    ///
    /// - Throws: `StorageError` when it cannot be opened or is no regular file.
    package init(_ path: String, workers: DiskWorkers) throws(StorageError) {
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        guard let descriptor = Descriptor(Glibc.open(path, flags, 0o644)) else {
            throw StorageError(errno: errno, path: path)
        }
        file = FileHandle(descriptor.release(), isWritable: true, path: path)
        guard try file.status().st_mode & S_IFMT == S_IFREG else { throw .notRegular(path: path) }
        self.workers = workers
    }

    /// Adds a line; what comes from others must not have line feeds, and loses them here.
    package func add(_ line: String) {
        guard failure == nil else { return }
        guard waiting.count < LineLog.mostWaiting else {
            missed += 1
            return
        }
        waiting.append(line)
        write()
    }

    private func write() {
        guard !isWriting, !waiting.isEmpty, failure == nil else { return }
        var lines = waiting
        waiting.removeAll(keepingCapacity: true)
        if missed > 0 { lines.append("(\(missed) lines are missing: the disk was too slow)") }
        missed = 0
        let text = lines.map { $0.split(whereSeparator: \.isNewline).joined(separator: " ") + "\n" }.joined()
        isWriting = workers.submit { [file] in
            LineLog.append(Array(text.utf8), to: file)
        } then: { [weak self] failure in
            self?.isWriting = false
            self?.failure = failure
            self?.write()
        }
    }

    private static func append(_ bytes: [UInt8], to file: FileHandle) -> StorageError? {
        var rest = bytes[...]
        while !rest.isEmpty {
            // Safe: the kernel reads the slice's own bytes.
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(file.descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else {
                if errno == EINTR { continue }
                return StorageError(errno: errno, path: file.path)
            }
            rest = rest.dropFirst(count)
        }
        return nil
    }
}
