import Primitives

/// What the owner of a mutable item signs (BEP 44, "signature verification").
package enum SignedItem {
    /// Bencoded salt (unless empty), sequence number and value, put together as the inside of a dictionary would be.
    ///
    /// - Parameter value: bencoded.
    package static func bytes(_ value: [UInt8], salt: [UInt8], sequence: Int64) -> [UInt8] {
        var writer = ByteWriter(capacity: value.count + salt.count + 40)
        if !salt.isEmpty {
            writer.append(utf8: "4:salt\(salt.count):")
            writer.append(salt)
        }
        writer.append(utf8: "3:seqi\(sequence)e1:v")
        writer.append(value)
        return writer.bytes
    }
}
