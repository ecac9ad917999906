import Glibc

/// What the kernel tells in small text files.
enum SystemFiles {
    /// `VmHWM`: the most memory that this process held at a time, in bytes.
    static var peakMemory: Int? { kibibytes(after: "VmHWM:", in: "/proc/self/status") }

    /// `VmRSS`: the memory that this process holds now, in bytes.
    static var residentMemory: Int? { kibibytes(after: "VmRSS:", in: "/proc/self/status") }

    /// Forgets the peak so far.
    static func resetPeakMemory() {
        let file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        write(file, "5", 1)
        close(file)
    }

    /// Memory that new files in a tmpfs may take, in bytes.
    static var availableMemory: Int? { kibibytes(after: "MemAvailable:", in: "/proc/meminfo") }

    /// Where this program lies.
    static var ownPath: String? {
        guard let path = realpath("/proc/self/exe", nil) else { return nil }
        defer { free(path) }
        return String(cString: path)
    }

    private static func kibibytes(after name: String, in path: String) -> Int? {
        guard let line = text(of: path).split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { return nil }
        return line.dropFirst(name.count).split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }.map {
            $0 << 10
        }
    }

    private static func text(of path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4096)
        while case let count = read(file, &part, part.count), count > 0 { bytes += part[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
