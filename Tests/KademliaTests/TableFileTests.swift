import Cryptography
import Kademlia
import Primitives
import Testing

@Suite("The file of remembered nodes")
struct TableFileTests {
    static let contacts = (1...20).map { Contact(NodeID(UInt8($0)), .at("20.0.0.\($0):6881")) }
    static let contactsV6 = (1...10).map { Contact(NodeID(UInt8($0)), .at("[2400::\($0)]:6881")) }
    static let ids = [AddressFamily.v4: NodeID(0xab), .v6: NodeID(0xcd)]
    static let file = TableFile(ids: ids, contacts: contacts + contactsV6)

    static func fault(in bytes: [UInt8]) -> TableFile.Fault? {
        do throws(TableFile.Fault) {
            _ = try TableFile(bytes.span.bytes)
            return nil
        } catch {
            return error
        }
    }

    /// The same bytes with a checksum that fits.
    static func resealed(_ bytes: [UInt8]) -> [UInt8] {
        let body = Array(bytes.dropLast(20))
        return body + SHA1.hash(body).bytes
    }

    @Test("reads what it wrote")
    func roundTrip() throws {
        let bytes = TableFileTests.file.encoded
        #expect(bytes.count == 54 + 20 * 26 + 10 * 38 + 20)
        #expect(Array(bytes.prefix(10)) == Array("SHOALDHT".utf8) + [0, 2])
        #expect(Array(bytes[50..<54]) == [0, 20, 0, 10])
        #expect(try TableFile(bytes.span.bytes) == TableFileTests.file)
    }

    @Test("says nothing of a family that we are not in", arguments: AddressFamily.allCases)
    func oneFamily(family: AddressFamily) throws {
        let contacts = family == .v4 ? TableFileTests.contacts : TableFileTests.contactsV6
        let file = TableFile(ids: [family: NodeID(0xab)], contacts: contacts)
        #expect(try TableFile(file.encoded.span.bytes) == file)
    }

    @Test("reads what version 1 wrote")
    func versionOne() throws {
        let contacts = TableFileTests.contacts
        let body = wire(
            "SHOALDHT\u{0}\u{1}" + NodeID(0xab).wireText + "\u{0}\u{14}" + contacts.map(\.wireText).joined()
        )
        let file = try TableFile((body + SHA1.hash(body).bytes).span.bytes)
        #expect(file == TableFile(ids: [.v4: NodeID(0xab)], contacts: contacts))
        let short = Array(body.dropLast())
        #expect(TableFileTests.fault(in: short + SHA1.hash(short).bytes) == .wrongLength)
    }

    @Test("notices every changed byte (D16)", arguments: [0, 7, 9, 10, 31, 50, 53, 54, 300, 600, 973])
    func changedByte(position: Int) {
        var bytes = TableFileTests.file.encoded
        bytes[position] ^= 1
        #expect(TableFileTests.fault(in: bytes) != nil)
    }

    @Test("notices every shorter length", arguments: [0, 1, 8, 10, 31, 52, 74, 571, 973])
    func truncated(count: Int) {
        #expect(TableFileTests.fault(in: Array(TableFileTests.file.encoded.prefix(count))) != nil)
    }

    @Test("says what is wrong: no table, a later version, a count that lies, a torn write (D16)")
    func faults() {
        let bytes = TableFileTests.file.encoded
        #expect(TableFileTests.fault(in: Array("hello, world".utf8)) == .notATable)
        var later = bytes
        later[9] = 3
        #expect(TableFileTests.fault(in: TableFileTests.resealed(later)) == .unknownVersion(3))
        var lying = bytes
        lying[50] = 0xff
        #expect(TableFileTests.fault(in: TableFileTests.resealed(lying)) == .wrongLength)
        lying = bytes
        lying[53] += 1
        #expect(TableFileTests.fault(in: TableFileTests.resealed(lying)) == .wrongLength)
        #expect(TableFileTests.fault(in: bytes + [0]) == .wrongLength)
        var torn = bytes
        torn[100] ^= 1
        #expect(TableFileTests.fault(in: torn) == .wrongChecksum)
    }

    @Test("leaves out contacts that nobody can have, and ourselves")
    func uselessContacts() throws {
        let useless = [
            Contact(NodeID(1), .at("20.0.0.1:0")), Contact(NodeID(2), .at("224.0.0.1:1")),
            Contact(NodeID(3), .at("0.0.0.0:1")), Contact(NodeID(0xab), .at("20.0.0.2:1")),
            Contact(NodeID(4), .at("[2400::1]:0")), Contact(NodeID(5), .at("[::ffff:20.0.0.1]:1")),
            Contact(NodeID(6), .at("[fe80::1]:1")), Contact(NodeID(0xcd), .at("[2400::2]:1")),
        ]
        let bytes = TableFile(ids: TableFileTests.ids, contacts: useless + TableFileTests.contacts).encoded
        #expect(try TableFile(bytes.span.bytes).contacts == TableFileTests.contacts)
    }

    @Test("holds 1024 contacts of each family at most, and is then as long as any file that is read")
    func limit() throws {
        let many = (0..<2000).map {
            Contact(NodeID(1, 1, last: UInt32($0)), Endpoint(.v4(0x1400_0000 + UInt32($0)), 1))
        }
        let manyV6 = many.map { Contact($0.id, Endpoint(.v6(high: 0x2400 << 48, low: UInt64($0.id.value.low)), 1)) }
        let bytes = TableFile(ids: TableFileTests.ids, contacts: manyV6 + many).encoded
        #expect(bytes.count == TableFile.mostBytes)
        #expect(try TableFile(bytes.span.bytes).contacts == Array(many.prefix(1024)) + manyV6.prefix(1024))
    }
}
