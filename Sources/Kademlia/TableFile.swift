import Cryptography
package import Primitives

/// What a node remembers from one run to the next: its identifiers and the nodes it knew.
///
///     magic "SHOALDHT" (8) · version 2 (2) · own identifier in the IPv4 DHT (20) · in the IPv6 DHT (20) ·
///     IPv4 contacts (2) · IPv6 contacts (2) · those contacts (26 each) · these (38 each) · SHA-1 of all that (20)
///
/// Numbers are in network order; an identifier of zeros is none. Version 1 knew IPv4 alone, and is read still. Reading
/// treats the file as hostile (hardening D16): whoever can write it must not be able to do more than to name nodes, which
/// are asked before they are believed. The checksum finds torn writes, not forgers.
package struct TableFile: Hashable, Sendable {
    package enum Fault: Error, Hashable, Sendable {
        case notATable
        case unknownVersion(UInt16)
        /// The length does not fit the counts, or is beyond what any table has.
        case wrongLength
        case wrongChecksum
    }

    package var ids: [AddressFamily: NodeID]
    /// IPv4 first.
    package var contacts: [Contact]

    package static let version: UInt16 = 2
    /// Contacts of one family, 26 or 38 KiB; a table has some 200 nodes in practice.
    package static let mostContacts = 1024
    /// The longest file that is read.
    package static let mostBytes = Layout.v2.byteCount(v4: mostContacts, v6: mostContacts)

    private static let magic: UInt64 = 0x5348_4f41_4c44_4854
    private static let checksumByteCount = UInt160.byteCount

    /// Where things are in one version of the file.
    private struct Layout {
        let idOffsets: [(AddressFamily, Int)]
        let countOffsets: [(AddressFamily, Int)]
        let contactsOffset: Int

        static var v1: Layout { Layout(idOffsets: [(.v4, 10)], countOffsets: [(.v4, 30)], contactsOffset: 32) }
        static var v2: Layout {
            Layout(idOffsets: [(.v4, 10), (.v6, 30)], countOffsets: [(.v4, 50), (.v6, 52)], contactsOffset: 54)
        }

        func byteCount(v4: Int, v6: Int) -> Int {
            contactsOffset + v4 * Contact.compactByteCount(.v4) + v6 * Contact.compactByteCount(.v6)
                + TableFile.checksumByteCount
        }
    }

    package init(ids: [AddressFamily: NodeID], contacts: [Contact]) {
        self.ids = ids
        self.contacts = contacts
    }

    /// The file's bytes. Contacts beyond the limit are left out.
    package var encoded: [UInt8] {
        let kept = AddressFamily.allCases.map { family in
            contacts.filter { $0.endpoint.address.family == family }.prefix(TableFile.mostContacts)
        }
        var writer = ByteWriter(capacity: TableFile.mostBytes)
        writer.bigEndian(TableFile.magic)
        writer.bigEndian(TableFile.version)
        for family in AddressFamily.allCases { (ids[family]?.value ?? .zero).write(to: &writer) }
        for contacts in kept { writer.bigEndian(UInt16(truncatingIfNeeded: contacts.count)) }
        for contact in kept.joined() { contact.writeCompact(to: &writer) }
        SHA1.hash(writer.bytes).value.write(to: &writer)
        return writer.bytes
    }

    /// Reads a file. Contacts that nobody can have (port 0, a reserved address) are left out, and ourselves.
    package init(_ bytes: RawSpan) throws(Fault) {
        guard bytes.bigEndian(UInt64.self, at: 0) == TableFile.magic,
            let version = bytes.bigEndian(UInt16.self, at: 8)
        else { throw .notATable }
        switch version {
        case 1: try self.init(bytes, .v1)
        case TableFile.version: try self.init(bytes, .v2)
        default: throw .unknownVersion(version)
        }
    }

    private init(_ bytes: RawSpan, _ layout: Layout) throws(Fault) {
        var counts: [AddressFamily: Int] = [:]
        for (family, offset) in layout.countOffsets {
            counts[family] = bytes.bigEndian(UInt16.self, at: offset).map { Int($0) }
        }
        let (v4, v6) = (counts[.v4] ?? 0, counts[.v6] ?? 0)
        guard v4 <= TableFile.mostContacts, v6 <= TableFile.mostContacts,
            bytes.byteCount == layout.byteCount(v4: v4, v6: v6)
        else { throw .wrongLength }
        let end = bytes.byteCount - TableFile.checksumByteCount
        guard SHA1.hash(bytes.extracting(0..<end)) == SHA1Digest(bytes, at: end) else { throw .wrongChecksum }
        var ids: [AddressFamily: NodeID] = [:]
        for (family, offset) in layout.idOffsets {
            ids[family] = NodeID(bytes, at: offset).flatMap { $0.value == .zero ? nil : $0 }
        }
        var contacts: [Contact] = []
        var offset = layout.contactsOffset
        for (family, count) in [(AddressFamily.v4, v4), (.v6, v6)] {
            for _ in 0..<count {
                if let contact = Contact(compact: family, bytes, at: offset) { contacts.append(contact) }
                offset += Contact.compactByteCount(family)
            }
        }
        self.init(ids: ids, contacts: contacts.filter { $0.endpoint.isUsable && !ids.values.contains($0.id) })
    }
}
