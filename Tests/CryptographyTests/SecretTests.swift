import Cryptography
import Glibc
import Primitives
import TestSupport
import Testing

@Suite("Secrets in locked memory")
struct SecretTests {
    /// A copy: a span of an optional secret would outlive it.
    static func copy(_ secret: Secret?) -> [UInt8]? {
        guard let secret else { return nil }
        return secret.bytes.copied
    }

    private enum Refusal: Error { case halfway }

    @Test("hold what was written, and zeros elsewhere")
    func holds() {
        let secret = Secret(byteCount: 40) { $0.storeBytes(of: 7, toByteOffset: 3, as: UInt8.self) }
        #expect(SecretTests.copy(secret) == [0, 0, 0, 7] + [UInt8](repeating: 0, count: 36))
    }

    @Test("come from random bytes, other ones each time")
    func random() throws {
        let first = try #require(SecretTests.copy(.random(byteCount: 32)))
        let second = try #require(SecretTests.copy(.random(byteCount: 32)))
        #expect(first.count == 32)
        #expect(first != second)
    }

    @Test("are not made when writing them fails, or of no bytes")
    func fails() {
        #expect(throws: Refusal.halfway) {
            _ = try Secret(byteCount: 32) { (_: inout MutableRawSpan) throws(Refusal) in throw .halfway }
        }
        let empty = Secret([UInt8]().span.bytes)
        #expect(empty == nil)
    }

    @Test("lie in memory of their own: locked, read-only, in no core dump, between pages that nobody may touch")
    func mapping() throws {
        let secret = try #require(Secret.random(byteCount: 40))
        let pages = try SecretTests.mappings(around: secret)

        #expect(pages.own.permissions == "r--p")
        #expect(pages.own.bytes == Int(sysconf(Int32(_SC_PAGESIZE))))
        // "dd": do not dump; "lo": locked (proc(5)).
        #expect(pages.own.flags.contains("dd"))
        #expect(pages.own.flags.contains("lo") == SecretTests.mayLock)
        #expect(pages.before.permissions == "---p")
        #expect(pages.after.permissions == "---p")
    }

    @Test("can be written while they are made, and by nobody afterwards")
    func sealing() throws {
        var permissions: String?
        let secret = try Secret(byteCount: 32) { (span) throws in
            let start = span.withUnsafeMutableBytes { UInt(bitPattern: $0.baseAddress) }
            permissions = Mapping.all().first { $0.range.contains(start) }?.permissions
        }
        #expect(permissions == "rw-p")
        #expect(try SecretTests.mappings(around: try #require(secret)).own.permissions == "r--p")
    }

    /// Whether the system lets this process lock a page: by its limit, or because it is root.
    static var mayLock: Bool {
        var limit = rlimit()
        getrlimit(Int32(__RLIMIT_MEMLOCK.rawValue), &limit)
        return geteuid() == 0 || limit.rlim_cur >= 1 << 20
    }

    static func mappings(around secret: Secret) throws -> (before: Mapping, own: Mapping, after: Mapping) {
        let start = secret.bytes.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        let all = Mapping.all()
        let index = try #require(all.firstIndex { $0.range.contains(start) })
        try #require(index > 0 && index + 1 < all.count)
        let (before, own, after) = (all[index - 1], all[index], all[index + 1])
        // Beside it, not merely the next one somewhere.
        try #require(before.range.upperBound == own.range.lowerBound && own.range.upperBound == after.range.lowerBound)
        return (before, own, after)
    }
}
