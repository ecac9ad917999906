import Cryptography
import Glibc
import Testing

@testable import Storage

@Suite("identity.key (secure-peer.md, §1)")
struct IdentityFileTests {
    static let seed: [UInt8] = Array(0..<32)
    /// Of that seed.
    static let key = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"

    static func form(_ seed: [UInt8] = seed, key: [UInt8]) -> [UInt8] {
        Array("d1:a7:ed255191:ci1700000000e1:k32:".utf8) + key + Array("1:s32:".utf8) + seed + Array("1:vi1ee".utf8)
    }

    static func publicKey(of seed: [UInt8]) throws -> [UInt8] {
        let signingKey = Ed25519.SigningKey(seed: seed.span.bytes)
        return try #require(signingKey).publicKey.bytes
    }

    static func load(_ folder: TemporaryFolder) throws(IdentityFault) -> String {
        try IdentityFile(folder: folder.path, now: 1_700_000_000).signingKey.publicKey.hex
    }

    /// Why a file with these bytes is refused; it must be the same afterwards.
    static func refusal(of bytes: [UInt8], mode: mode_t = 0o600) throws -> IdentityFault? {
        let folder = try TemporaryFolder()
        try folder.write(IdentityFile.name, bytes)
        try #require(chmod(folder.path(IdentityFile.name), mode) == 0)
        defer { #expect(folder.contents(IdentityFile.name) == bytes) }
        do throws(IdentityFault) {
            _ = try load(folder)
            return nil
        } catch {
            return error
        }
    }

    @Test("is made once, for nobody else to read, in the form that the design gives")
    func created() throws {
        let folder = try TemporaryFolder()
        let first = try IdentityFileTests.load(folder)
        let again = try IdentityFileTests.load(folder)
        #expect(first == again)
        let status = try #require(folder.status(IdentityFile.name))
        #expect(status.st_mode & 0o7777 == 0o600)
        #expect(status.st_nlink == 1)
        #expect(folder.status(IdentityFile.temporaryName) == nil)
        let bytes = try #require(folder.contents(IdentityFile.name))
        let seed = Array(bytes.dropLast(7).suffix(32))
        #expect(bytes == IdentityFileTests.form(seed, key: try IdentityFileTests.publicKey(of: seed)))
    }

    /// Puts a good file under a name.
    static func plant(_ name: String, in folder: TemporaryFolder) throws {
        try folder.write(name, form(key: try publicKey(of: seed)))
        try #require(chmod(folder.path(name), 0o600) == 0)
    }

    @Test("gives the key of its seed, and when that was made")
    func loaded() throws {
        let folder = try TemporaryFolder()
        try IdentityFileTests.plant(IdentityFile.name, in: folder)
        #expect(try IdentityFileTests.load(folder) == IdentityFileTests.key)
        let file = try #require(try IdentityFile.read(folder: folder.path))
        #expect(file.signingKey.publicKey.hex == IdentityFileTests.key)
        #expect(file.created == 1_700_000_000)
    }

    @Test("can be read beside a node that runs: nothing is made, mended or removed")
    func readOnly() throws {
        let folder = try TemporaryFolder()
        #expect(try IdentityFile.read(folder: folder.path) == nil)
        #expect(try IdentityFile.read(folder: folder.path("missing")) == nil)
        #expect(folder.status(IdentityFile.name) == nil && folder.status("missing") == nil)

        // Between the steps of its maker it has two names, and only that one may be the second.
        try IdentityFileTests.plant(IdentityFile.temporaryName, in: folder)
        try #require(link(folder.path(IdentityFile.temporaryName), folder.path(IdentityFile.name)) == 0)
        #expect(try IdentityFile.read(folder: folder.path)?.signingKey.publicKey.hex == IdentityFileTests.key)
        #expect(folder.status(IdentityFile.temporaryName)?.st_nlink == 2)
        unlink(folder.path(IdentityFile.temporaryName))
        try IdentityFileTests.plant(IdentityFile.temporaryName, in: folder)
        try #require(link(folder.path(IdentityFile.name), folder.path("third")) == 0)
        #expect(throws: IdentityFault.linked) { try IdentityFile.read(folder: folder.path) }
    }

    @Test("is refused in a folder that others can write into", arguments: [0o777, 0o770, 0o702, 0o1777] as [mode_t])
    func openFolder(mode: mode_t) throws {
        let folder = try TemporaryFolder()
        try IdentityFileTests.plant(IdentityFile.name, in: folder)
        try #require(chmod(folder.path, mode) == 0)
        #expect(throws: IdentityFault.folderOpen(mode: mode)) { try IdentityFile.read(folder: folder.path) }
        #expect(throws: IdentityFault.folderOpen(mode: mode)) { try IdentityFileTests.load(folder) }
        try #require(chmod(folder.path, 0o755) == 0)
        #expect(try IdentityFileTests.load(folder) == IdentityFileTests.key)
    }

    @Test("is made on demand, but not where something has its name")
    func made() throws {
        let folder = try TemporaryFolder()
        let file = try IdentityFile.make(folder: folder.path, now: 1_800_000_000)
        #expect(file.created == 1_800_000_000)
        #expect(try IdentityFileTests.load(folder) == file.signingKey.publicKey.hex)
        #expect(throws: IdentityFault.exists) { try IdentityFile.make(folder: folder.path, now: 1_800_000_000) }
        #expect(try IdentityFileTests.load(folder) == file.signingKey.publicKey.hex)
        #expect(folder.status(IdentityFile.temporaryName) == nil)
        unlink(folder.path(IdentityFile.name))
        try #require(symlink("nowhere", folder.path(IdentityFile.name)) == 0)
        #expect(throws: IdentityFault.exists) { try IdentityFile.make(folder: folder.path, now: 1_800_000_000) }
    }

    @Test("is replaced by another, and kept under the time of that")
    func replaced() throws {
        let folder = try TemporaryFolder()
        let first = try IdentityFile.replace(folder: folder.path, now: 0)
        #expect(first.aside == nil)
        let old = try #require(folder.contents(IdentityFile.name))
        let (second, aside) = try IdentityFile.replace(folder: folder.path, now: 1_795_292_130)
        #expect(aside == "identity.key.20261121-201530")
        #expect(folder.contents("identity.key.20261121-201530") == old)
        #expect(folder.status("identity.key.20261121-201530").map { $0.st_mode & 0o7777 } == 0o600)
        #expect(try IdentityFileTests.load(folder) == second.signingKey.publicKey.hex)
        #expect(second.signingKey.publicKey != first.file.signingKey.publicKey)
    }

    @Test("is replaced where it is refused, too: that is the way out", arguments: ["link", "mode", "bytes", "folder"])
    func replacedWhereRefused(fault: String) throws {
        let folder = try TemporaryFolder()
        let path = folder.path(IdentityFile.name)
        switch fault {
        case "link": try #require(symlink("elsewhere", path) == 0)
        case "mode":
            try IdentityFileTests.plant(IdentityFile.name, in: folder)
            try #require(chmod(path, 0o644) == 0)
        case "bytes": try folder.write(IdentityFile.name, [1, 2, 3])
        default: try folder.makeFolder(IdentityFile.name)
        }
        try IdentityFileTests.plant("elsewhere", in: folder)
        let before = folder.contents("elsewhere")
        let (file, aside) = try IdentityFile.replace(folder: folder.path, now: 1)
        #expect(aside == "identity.key.19700101-000001")
        #expect(try IdentityFileTests.load(folder) == file.signingKey.publicKey.hex)
        #expect(folder.contents("elsewhere") == before)
    }

    @Test("is not replaced at the cost of one that was put aside before, and is there still when that fails")
    func neverLost() throws {
        let folder = try TemporaryFolder()
        try IdentityFileTests.plant(IdentityFile.name, in: folder)
        try folder.write("identity.key.19700101-000001", [7])
        #expect(throws: IdentityFault.unwritable(EEXIST)) { try IdentityFile.replace(folder: folder.path, now: 1) }
        #expect(folder.contents("identity.key.19700101-000001") == [7])
        #expect(try IdentityFileTests.load(folder) == IdentityFileTests.key)
        #expect(folder.status(IdentityFile.temporaryName) == nil)
    }

    @Test(
        "is refused when others could have read or changed it (N1)",
        arguments: [0o644, 0o640, 0o604, 0o660] as [mode_t]
    )
    func modes(mode: mode_t) throws {
        let key = try IdentityFileTests.publicKey(of: IdentityFileTests.seed)
        let fault = try IdentityFileTests.refusal(of: IdentityFileTests.form(key: key), mode: mode)
        #expect(fault == .openToOthers(mode: mode))
        #expect(fault?.message.hasPrefix("is readable by others (mode 0\(String(mode, radix: 8)))") == true)
    }

    @Test("is refused when it is a link, of either kind, a folder or a pipe, and never made anew (N2)")
    func planted() throws {
        let folder = try TemporaryFolder()
        let key = try IdentityFileTests.publicKey(of: IdentityFileTests.seed)
        try folder.write("elsewhere", IdentityFileTests.form(key: key))
        chmod(folder.path("elsewhere"), 0o600)
        let path = folder.path(IdentityFile.name)

        try #require(symlink("elsewhere", path) == 0)
        #expect(throws: IdentityFault.symlink) { try IdentityFileTests.load(folder) }
        unlink(path)
        try #require(link(folder.path("elsewhere"), path) == 0)
        #expect(throws: IdentityFault.linked) { try IdentityFileTests.load(folder) }
        unlink(path)
        try folder.makeFolder(IdentityFile.name)
        #expect(throws: IdentityFault.notRegular) { try IdentityFileTests.load(folder) }
        rmdir(path)
        try #require(mkfifo(path, 0o600) == 0)
        #expect(throws: IdentityFault.notRegular) { try IdentityFileTests.load(folder) }
    }

    @Test("is refused at every length but its own (N2)")
    func truncated() throws {
        let whole = IdentityFileTests.form(key: try IdentityFileTests.publicKey(of: IdentityFileTests.seed))
        for count in stride(from: 0, to: whole.count, by: 7) {
            #expect(try IdentityFileTests.refusal(of: Array(whole.prefix(count))) == .malformed)
        }
        #expect(try IdentityFileTests.refusal(of: whole + [0]) == .malformed)
        #expect(try IdentityFileTests.refusal(of: whole + whole) == .malformed)
        #expect(try IdentityFileTests.refusal(of: [UInt8](repeating: 0x64, count: 5000)) == .malformed)
        // The number of the design has one form: no sign, no leading zero, and it fits.
        for number in ["", "-1", "00", "01", "1" + String(repeating: "0", count: 18)] {
            let form = Array("d1:a7:ed255191:ci\(number)".utf8) + whole[27...]
            #expect(try IdentityFileTests.refusal(of: form) == .malformed)
        }
        #expect(try IdentityFileTests.refusal(of: Array("d1:a7:ed255191:ci0".utf8) + whole[27...]) == nil)
        #expect(try IdentityFileTests.refusal(of: whole) == nil)
    }

    @Test("is refused when its public key is not that of its seed (N2)")
    func mismatch() throws {
        var key = try IdentityFileTests.publicKey(of: IdentityFileTests.seed)
        key[31] ^= 0x80
        #expect(try IdentityFileTests.refusal(of: IdentityFileTests.form(key: key)) == .mismatch)
    }

    /// What a crash at each step of making the file leaves behind.
    @Test(
        "after a crash while it was made, is there as a whole or not at all (N3)",
        arguments: ["half", "whole", "linked"]
    )
    func crash(step: String) throws {
        let folder = try TemporaryFolder()
        let key = try IdentityFileTests.publicKey(of: IdentityFileTests.seed)
        let whole = IdentityFileTests.form(key: key)
        try folder.write(IdentityFile.temporaryName, step == "half" ? Array(whole.prefix(50)) : whole)
        chmod(folder.path(IdentityFile.temporaryName), 0o600)
        if step == "linked" {
            try #require(link(folder.path(IdentityFile.temporaryName), folder.path(IdentityFile.name)) == 0)
        }
        let loaded = try IdentityFileTests.load(folder)
        // Nobody has seen a key whose file had no name yet, so another one takes its place.
        #expect((loaded == IdentityFileTests.key) == (step == "linked"))
        #expect(folder.status(IdentityFile.temporaryName) == nil)
        #expect(folder.status(IdentityFile.name)?.st_nlink == 1)
    }
}
