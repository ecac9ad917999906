import Glibc
import Metainfo
import Testing

@testable import Storage

/// What somebody else may have put where our files belong; each with the kernel's own check and with ours.
@Suite("Hostile folders")
struct HostileFolderTests {
    @Test("a planted symlink is not followed, neither for a file nor for a folder above it", arguments: [true, false])
    func symlink(asksKernel: Bool) throws {
        let fixture = try Fixture([("root/dir/a", 10), ("link", 6)])
        try fixture.folder.makeFolder("root")
        try fixture.folder.makeFolder("outside")
        try fixture.folder.write("outside/a", [1, 2, 3])
        try #require(Glibc.symlink("../outside", fixture.folder.path("root/dir")) == 0)
        try #require(Glibc.symlink("outside/a", fixture.folder.path("link")) == 0)
        let set = fixture.fileSet(asksKernel: asksKernel)

        let refusal = StorageError.symlink(path: fixture.folder.path("root/dir"))
        #expect(refusal.message.hasPrefix("refusing to follow symlink \(fixture.folder.path)/root/dir;"))
        #expect(throws: refusal) { try fixture.write([0], to: set) }
        #expect(throws: refusal) { try read(set) }
        #expect(throws: refusal) { try set.captureStamps() }
        #expect(throws: StorageError.symlink(path: fixture.folder.path("link"))) { try set.existing(1) }
        #expect(throws: StorageError.symlink(path: fixture.folder.path("link"))) { try set.writable(1) }
        #expect(fixture.folder.contents("outside/a") == [1, 2, 3])
        #expect(fixture.folder.status("link")?.st_size == 9)
    }

    @Test("a symlink to nowhere is not created through", arguments: [true, false])
    func danglingSymlink(asksKernel: Bool) throws {
        let fixture = try Fixture([("a", 10)])
        try #require(Glibc.symlink("elsewhere", fixture.folder.path("a")) == 0)
        let set = fixture.fileSet(asksKernel: asksKernel)
        #expect(throws: StorageError.symlink(path: fixture.folder.path("a"))) { try fixture.write([0], to: set) }
        #expect(fixture.folder.status("elsewhere") == nil)
    }

    @Test("a pipe or a folder in a file's place is refused without waiting", arguments: [true, false])
    func notRegular(asksKernel: Bool) throws {
        let fixture = try Fixture([("pipe", 10), ("folder", 10)])
        try #require(mkfifo(fixture.folder.path("pipe"), 0o644) == 0)
        try fixture.folder.makeFolder("folder")
        let set = fixture.fileSet(asksKernel: asksKernel)
        for (index, name) in ["pipe", "folder"].enumerated() {
            let refusal = StorageError.notRegular(path: fixture.folder.path(name))
            #expect(throws: refusal) { try set.existing(index) }
            #expect(throws: refusal) { try set.writable(index) }
        }
    }

    @Test("a file in a folder's place is named", arguments: [true, false])
    func fileAsFolder(asksKernel: Bool) throws {
        let fixture = try Fixture([("d/a", 10)])
        try fixture.folder.write("d", [7])
        let set = fixture.fileSet(asksKernel: asksKernel)
        #expect(throws: StorageError.notFolder(path: fixture.folder.path("d"))) { try read(set) }
        #expect(throws: StorageError.notFolder(path: fixture.folder.path("d"))) { try fixture.write([0], to: set) }
        #expect(fixture.folder.contents("d") == [7])
    }

    @Test("a second name of somebody else's file is not written through", .enabled(if: geteuid() == 0))
    func foreignLink() throws {
        let fixture = try Fixture([("a", 10)])
        try fixture.folder.write("theirs", pattern(10))
        try #require(chown(fixture.folder.path("theirs"), 4711, 4711) == 0)
        try #require(link(fixture.folder.path("theirs"), fixture.folder.path("a")) == 0)
        let set = fixture.fileSet()
        #expect(throws: StorageError.foreignLink(path: fixture.folder.path("a"))) { try fixture.write([0], to: set) }
        #expect(try read(set) == pattern(10))
    }

    @Test("a file that is too long is another file, and stays as it is")
    func longer() throws {
        let fixture = try Fixture([("a", 10)])
        try fixture.folder.write("a", pattern(11))
        let set = fixture.fileSet()
        let refusal = StorageError.longer(path: fixture.folder.path("a"), size: 11, expected: 10)
        #expect(throws: refusal) { try fixture.write([0], to: set) }
        #expect(throws: refusal) { try fixture.verified(set) }
        #expect(fixture.folder.contents("a") == pattern(11))
    }

    @Test(
        "a path that should never have come this far goes no further",
        arguments: [["..", "a"], ["."], [""], ["a/b"], ["a\0b"], [], ["d", "..", "..", "a"]]
    )
    func unsafePath(components: [String]) throws {
        let folder = try TemporaryFolder()
        for asksKernel in [true, false] {
            let root = RootFolder(path: folder.path, asksKernel: asksKernel)
            #expect(throws: StorageError.self) { _ = try root.open(components, O_RDONLY) == nil }
            #expect(throws: StorageError.self) { _ = try root.create(components) == nil }
        }
    }
}

/// Real full and read-only disks: small file systems in memory, which only root may mount.
@Suite("Full and read-only disks", .enabled(if: TemporaryFolder.canMount, "this process may not mount"))
struct MountTests {
    @Test("a full disk is an error that says so, and after room was made the same writes succeed")
    func fullDisk() throws {
        let fixture = try Fixture([("a", 2 << 20)], pieceLength: 256 << 10)
        try fixture.folder.mountMemory("disk", size: "1m")
        let set = fixture.fileSet(root: fixture.folder.path("disk"))
        let full = StorageError.noSpace(path: fixture.folder.path("disk/a"))
        #expect(full.message.hasPrefix("no space left on device while writing"))
        #expect(throws: full) { try fixture.writeAll(to: set) }
        let kept = try fixture.verified(set)
        #expect(!kept.isEmpty && kept.count < 8)
        try fixture.folder.remount("disk", "size=4m")
        try fixture.writeAll(to: set)
        #expect(try fixture.verified(set) == Array(0..<8))
        #expect(throws: Never.self) { try set.synchronize() }
    }

    @Test("a read-only disk is found out before and at the first write, and can be read")
    func readOnlyDisk() throws {
        let fixture = try Fixture([("d/a", 10), ("d/b", 10)])
        try fixture.folder.mountMemory("disk", size: "1m")
        let root = fixture.folder.path("disk")
        try fixture.folder.makeFolder("disk/d")
        try fixture.folder.write("disk/d/a", Array(fixture.bytes[..<10]))
        try fixture.folder.remount("disk", "ro")

        let set = fixture.fileSet(root: root)
        #expect(throws: StorageError.readOnly(path: root)) { try set.verifyRoot() }
        #expect(throws: StorageError.readOnly(path: root + "/d/a")) { try fixture.write([0], to: set) }
        #expect(throws: StorageError.readOnly(path: root + "/d/b")) { try set.writable(1) }
        #expect(throws: Never.self) { try fixture.fileSet(.reading, root: root).verifyRoot() }
        #expect(try set.existing(0) != nil)
        try fixture.folder.remount("disk", "rw")
        try fixture.writeAll(to: set)
        #expect(try read(set) == fixture.bytes)
    }

    @Test("state on a read-only disk is refused by name")
    func readOnlyState() throws {
        let folder = try TemporaryFolder()
        try folder.mountMemory("disk", size: "1m")
        try folder.remount("disk", "ro")
        #expect(throws: StorageError.readOnly(path: folder.path("disk/state"))) {
            try ResumeStore(folder: folder.path("disk/state"))
        }
    }
}
