import Cryptography
import Kademlia
import Primitives
import Testing

@Suite("The file of remembered nodes")
struct TableFileTests {
    static let contacts = (1...20).map { Contact(NodeID(UInt8($0)), .at("20.0.0.\($0):6881")) }
    static let file = TableFile(id: NodeID(0xab), contacts: contacts)

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
        #expect(bytes.count == 32 + 20 * 26 + 20)
        #expect(Array(bytes.prefix(10)) == Array("SHOALDHT".utf8) + [0, 1])
        #expect(try TableFile(bytes.span.bytes) == TableFileTests.file)
    }

    @Test("notices every changed byte", arguments: [0, 7, 9, 10, 31, 32, 300, 571])
    func changedByte(position: Int) {
        var bytes = TableFileTests.file.encoded
        bytes[position] ^= 1
        #expect(TableFileTests.fault(in: bytes) != nil)
    }

    @Test("notices every shorter length", arguments: [0, 1, 8, 10, 31, 52, 571])
    func truncated(count: Int) {
        #expect(TableFileTests.fault(in: Array(TableFileTests.file.encoded.prefix(count))) != nil)
    }

    @Test("says what is wrong: no table, a later version, a count that lies, a torn write")
    func faults() {
        let bytes = TableFileTests.file.encoded
        #expect(TableFileTests.fault(in: Array("hello, world".utf8)) == .notATable)
        var later = bytes
        later[9] = 2
        #expect(TableFileTests.fault(in: TableFileTests.resealed(later)) == .unknownVersion(2))
        var lying = bytes
        lying[30] = 0xff
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
        ]
        let bytes = TableFile(id: NodeID(0xab), contacts: useless + TableFileTests.contacts).encoded
        #expect(try TableFile(bytes.span.bytes).contacts == TableFileTests.contacts)
    }

    @Test("holds 1024 contacts at most")
    func limit() throws {
        let many = (0..<2000).map {
            Contact(NodeID(1, 1, last: UInt32($0)), Endpoint(.v4(0x1400_0000 + UInt32($0)), 1))
        }
        let bytes = TableFile(id: NodeID(0xab), contacts: many).encoded
        #expect(try TableFile(bytes.span.bytes).contacts == Array(many.prefix(1024)))
    }
}
