import Cryptography
import Glibc
import Primitives
import Testing

@testable import Storage

@Suite("The file of a swarm's key")
struct SwarmKeyFileTests {
    let folder: TemporaryFolder
    var path: String { folder.path("swarm.key") }

    init() throws { folder = try TemporaryFolder() }

    private func fault(_ body: () throws(KeyFile.Fault) -> Void) -> KeyFile.Fault? {
        do throws(KeyFile.Fault) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    private func readingFault() -> KeyFile.Fault? {
        fault { () throws(KeyFile.Fault) in _ = try KeyFile.readSwarmKey(path) }
    }

    private func bytes(of secret: Secret) -> [UInt8] { (0..<secret.byteCount).compactMap { secret.bytes.byte(at: $0) } }

    @Test("a new one has 32 random bytes that only its owner can read, and is read back as it is")
    func made() throws {
        try KeyFile.createSwarmKey(path)
        var status = stat()
        try #require(stat(path, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o600 && status.st_size == 32)
        let key = bytes(of: try KeyFile.readSwarmKey(path))
        #expect(key == SmallFile.read(path, limit: 32))

        let other = folder.path("other.key")
        try KeyFile.createSwarmKey(other)
        #expect(bytes(of: try KeyFile.readSwarmKey(other)) != key)
    }

    @Test("what is there is never written over: a file, a link to nowhere, a folder")
    func notOverwritten() throws {
        try folder.write("swarm.key", [1, 2, 3])
        try #require(symlink("nowhere", folder.path("link")) == 0)
        try folder.makeFolder("folder")
        for name in ["swarm.key", "link", "folder"] {
            #expect(fault { () throws(KeyFile.Fault) in try KeyFile.createSwarmKey(folder.path(name)) } == .exists)
        }
        #expect(SmallFile.read(path, limit: 99) == [1, 2, 3])
        #expect(access(folder.path("nowhere"), F_OK) != 0)
    }

    @Test("one that others can read or write is refused", arguments: [0o644, 0o640, 0o604, 0o620, 0o601] as [mode_t])
    func exposed(mode: mode_t) throws {
        try KeyFile.createSwarmKey(path)
        try #require(chmod(path, mode) == 0)
        #expect(readingFault() == .exposed)
    }

    @Test("one of any other length is refused", arguments: [0, 1, 31, 33, 64, 130])
    func malformed(byteCount: Int) throws {
        try folder.write("swarm.key", [UInt8](repeating: 7, count: byteCount))
        try #require(chmod(path, 0o600) == 0)
        #expect(readingFault() == .malformed)
    }

    @Test("a link, a folder and a pipe are no keys, and nothing is nothing")
    func notAFile() throws {
        #expect(readingFault() == .missing)
        try KeyFile.createSwarmKey(folder.path("real.key"))
        try #require(symlink("real.key", path) == 0)
        #expect(readingFault() == .notAFile)
        try #require(unlink(path) == 0 && mkfifo(path, 0o600) == 0)
        #expect(readingFault() == .notAFile)
        try #require(unlink(path) == 0)
        try folder.makeFolder("swarm.key")
        #expect(readingFault() == .notAFile)
    }
}
