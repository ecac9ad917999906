import Primitives

extension ByteWriter {
    /// The values of a reply with a sample, in the order of their keys (BEP 51).
    mutating func replySample(
        _ infoHashes: ArraySlice<InfoHash>,
        of total: Int,
        interval: Int64,
        _ named: NamedContacts
    ) {
        append(utf8: "8:intervali\(interval)e")
        replyNodes(named)
        append(utf8: "3:numi\(total)e7:samples\(infoHashes.count * UInt160.byteCount):")
        for infoHash in infoHashes { infoHash.value.write(to: &self) }
    }
}

extension ReplySize {
    /// All of a reply but contacts and info-hashes: what every reply has, the interval (at most 16) and the number and
    /// the head of the samples (at most 13 and 13).
    static let sampleFixed = fixed + 42
}
