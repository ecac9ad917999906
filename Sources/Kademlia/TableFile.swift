import Cryptography
package import Primitives

/// What a node remembers from one run to the next: its identifier and the nodes it knew.
///
///     magic "SHOALDHT" (8) · version (2) · own identifier (20) · count (2) · contacts (26 each) · SHA-1 of the rest (20)
///
/// Numbers are in network order. Reading treats the file as hostile (hardening D16): whoever can write it must not be
/// able to do more than to name nodes, which are asked before they are believed. The checksum finds torn writes, not
/// forgers.
package struct TableFile: Hashable, Sendable {
    package enum Fault: Error, Hashable, Sendable {
        case notATable
        case unknownVersion(UInt16)
        /// The length does not fit the count, or is beyond what any table has.
        case wrongLength
        case wrongChecksum
    }

    package var id: NodeID
    package var contacts: [Contact]

    package static let version: UInt16 = 1
    /// 26 KiB; a table has at most 160 buckets of 8, and in practice some 200 nodes.
    package static let mostContacts = 1024

    private static let magic: UInt64 = 0x5348_4f41_4c44_4854
    private static let headerByteCount = 32
    private static let checksumByteCount = UInt160.byteCount

    package init(id: NodeID, contacts: [Contact]) {
        self.id = id
        self.contacts = contacts
    }

    /// The file's bytes. IPv6 contacts and those beyond the limit are left out.
    package var encoded: [UInt8] {
        let kept = contacts.lazy.filter { $0.endpoint.address.isV4 }.prefix(TableFile.mostContacts)
        var writer = ByteWriter(capacity: TableFile.byteCount(contacts: kept.count))
        writer.bigEndian(TableFile.magic)
        writer.bigEndian(TableFile.version)
        id.value.write(to: &writer)
        writer.bigEndian(UInt16(truncatingIfNeeded: kept.count))
        for contact in kept { contact.writeCompact(to: &writer) }
        SHA1.hash(writer.bytes).value.write(to: &writer)
        return writer.bytes
    }

    /// Reads a file. Contacts that nobody can have (port 0, a reserved address) are left out.
    package init(_ bytes: RawSpan) throws(Fault) {
        guard bytes.bigEndian(UInt64.self, at: 0) == TableFile.magic,
            let version = bytes.bigEndian(UInt16.self, at: 8)
        else { throw .notATable }
        guard version == TableFile.version else { throw .unknownVersion(version) }
        guard let id = NodeID(bytes, at: 10), let count = bytes.bigEndian(UInt16.self, at: 30).map({ Int($0) }),
            count <= TableFile.mostContacts, bytes.byteCount == TableFile.byteCount(contacts: count)
        else { throw .wrongLength }
        let end = bytes.byteCount - TableFile.checksumByteCount
        guard SHA1.hash(bytes.extracting(0..<end)) == SHA1Digest(bytes, at: end) else { throw .wrongChecksum }
        let all = (0..<count).compactMap {
            Contact(compact: .v4, bytes, at: TableFile.headerByteCount + $0 * Contact.compactByteCount(.v4))
        }
        self.init(id: id, contacts: all.filter { $0.endpoint.isUsable && $0.id != id })
    }

    private static func byteCount(contacts: Int) -> Int {
        headerByteCount + contacts * Contact.compactByteCount(.v4) + checksumByteCount
    }
}
