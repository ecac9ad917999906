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

    @Test("gives the key of its seed")
    func loaded() throws {
        let folder = try TemporaryFolder()
        let key = try IdentityFileTests.publicKey(of: IdentityFileTests.seed)
        try folder.write(IdentityFile.name, IdentityFileTests.form(key: key))
        chmod(folder.path(IdentityFile.name), 0o600)
        #expect(try IdentityFileTests.load(folder) == IdentityFileTests.key)
    }

    @Test(
        "is refused when others could have read or changed it (N1)",
        arguments: [0o644, 0o640, 0o604, 0o660] as [mode_t]
    )
    func modes(mode: mode_t) throws {
        let key = try IdentityFileTests.publicKey(of: IdentityFileTests.seed)
        let fault = try IdentityFileTests.refusal(of: IdentityFileTests.form(key: key), mode: mode)
        #expect(fault == .readableByOthers(mode: mode))
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
