import Glibc
import Testing

/// A folder for one test, removed with everything in it at the end.
final class TemporaryFolder {
    let path: String
    private var mounts: [String] = []

    init() throws {
        var template = Array("/tmp/shoal-storage-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for mount in mounts.reversed() { _ = TemporaryFolder.run("/bin/umount", mount) }
        _ = TemporaryFolder.run("/bin/rm", "-rf", "--one-file-system", path)
    }

    func path(_ name: String) -> String { path + "/" + name }

    func makeFolder(_ name: String) throws { try #require(mkdir(path(name), 0o755) == 0) }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        let file = open(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        try #require(file >= 0)
        defer { close(file) }
        try #require(Glibc.write(file, bytes, bytes.count) == bytes.count)
    }

    /// Changes one byte in place, as a bad disk or a curious person does.
    func damage(_ name: String, at offset: Int) throws {
        let file = open(path(name), O_RDWR)
        try #require(file >= 0)
        defer { close(file) }
        var byte: UInt8 = 0
        try #require(pread(file, &byte, 1, offset) == 1)
        byte ^= 1
        try #require(pwrite(file, &byte, 1, offset) == 1)
    }

    func contents(_ name: String) -> [UInt8]? {
        let file = open(path(name), O_RDONLY)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(file, &chunk, chunk.count), count > 0 { bytes += chunk[..<count] }
        return bytes
    }

    func status(_ name: String) -> stat? {
        var status = stat()
        return lstat(path(name), &status) == 0 ? status : nil
    }

    /// Mounts an empty file system in memory, taken away with the folder.
    func mountMemory(_ name: String, size: String) throws {
        try makeFolder(name)
        try #require(TemporaryFolder.run("/bin/mount", "-t", "tmpfs", "-o", "size=\(size)", "tmpfs", path(name)) == 0)
        mounts.append(path(name))
    }

    func remount(_ name: String, _ options: String) throws {
        try #require(TemporaryFolder.run("/bin/mount", "-o", "remount,\(options)", path(name)) == 0)
    }

    /// Whether this process may mount: root outside a sandbox.
    static let canMount: Bool = {
        guard geteuid() == 0, let folder = try? TemporaryFolder() else { return false }
        return (try? folder.mountMemory("trial", size: "64k")) != nil
    }()

    @discardableResult
    static func run(_ program: String, _ arguments: String...) -> Int32 {
        var strings: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        strings.append(nil)
        defer { for string in strings { free(string) } }
        var process: pid_t = 0
        guard posix_spawn(&process, program, nil, nil, strings, environ) == 0 else { return -1 }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 { guard errno == EINTR else { return -1 } }
        return status
    }
}

/// Bytes that differ from place to place, so that a piece at the wrong offset is noticed.
func pattern(_ count: Int, seed: UInt8 = 1) -> [UInt8] {
    var state = UInt32(seed) &* 2_654_435_761 | 1
    return (0..<count).map { _ in
        state ^= state << 13
        state ^= state >> 17
        state ^= state << 5
        return UInt8(truncatingIfNeeded: state)
    }
}
