import Bencode
package import Cryptography
package import Primitives

/// A peer's signed word on which pieces of a torrent it holds: a mutable item of BEP 44 under a salt made of the info-hash
/// (secure-peer.md, §2).
///
/// Whoever holds one may believe that the key's owner said so, for this torrent: there is no way to make one whose
/// signature does not fit. Whether the owner told the truth only a connection shows.
package struct AvailabilityRecord: Hashable, Sendable {
    package let infoHash: InfoHash
    package let key: Ed25519.PublicKey
    /// Unix time in milliseconds, higher for each record of a key.
    package let sequence: Int64
    package let signature: Ed25519.Signature
    /// The bencoded content, byte by byte as it was signed.
    package let value: [UInt8]
    package let content: RecordContent

    /// The longest value there can be: with everything around it a record still fits into a reply of 1024 bytes.
    package static let longestValue = 745
    /// How far clocks may differ, in milliseconds.
    package static let clockTolerance: Int64 = 600_000

    /// Signs a record of our own.
    ///
    /// - Parameters:
    ///   - sequence: Unix time in milliseconds, higher than that of the record before.
    /// - Throws: `.signature` where no memory can be locked for it, `.field` for content out of range.
    package init(
        signing content: RecordContent,
        of infoHash: InfoHash,
        sequence: Int64,
        with key: Ed25519.SigningKey
    ) throws(RecordFault) {
        guard content.isInRange, sequence >= 0 else { throw .field }
        let value = content.encoded
        let signed = SignedItem.bytes(value, salt: AvailabilityRecord.salt(of: infoHash), sequence: sequence)
        guard let signature = key.signature(of: signed.span.bytes) else { throw .signature }
        self.infoHash = infoHash
        self.key = key.publicKey
        self.sequence = sequence
        self.signature = signature
        self.value = value
        self.content = content
    }

    /// Takes the word of somebody else, if the signature is good.
    package init(verifying claim: RecordClaim) throws(RecordFault) {
        let salt = AvailabilityRecord.salt(of: claim.infoHash)
        let signed = SignedItem.bytes(claim.value, salt: salt, sequence: claim.sequence)
        guard Ed25519.verify(claim.signature, of: signed.span.bytes, by: claim.key) else { throw .signature }
        infoHash = claim.infoHash
        key = claim.key
        sequence = claim.sequence
        signature = claim.signature
        value = claim.value
        content = claim.content
    }

    /// Which pieces are held.
    package var claims: PieceClaims { content.blob.claims }

    /// Unix time in milliseconds; clocks that differ are not considered yet.
    package var expiresAt: Int64 { sequence.addingReportingOverflow(content.lifetime).partialValue }

    /// The salt of all records of a torrent.
    package static func salt(of infoHash: InfoHash) -> [UInt8] { Array("sp1h".utf8) + infoHash.bytes }

    /// Where BEP 44 stores it: SHA-1 of the key and the salt.
    package var target: NodeID {
        NodeID(SHA1.hash(key.bytes + AvailabilityRecord.salt(of: infoHash)).value)
    }
}

/// A record as somebody hands it on: well formed, of the right torrent and time, but not proved to be its key's.
///
/// Apart from the record itself because checking a signature costs more than everything else, and is rationed.
package struct RecordClaim: Hashable, Sendable {
    package let infoHash: InfoHash
    package let key: Ed25519.PublicKey
    package let sequence: Int64
    package let signature: Ed25519.Signature
    package let value: [UInt8]
    package let content: RecordContent

    /// Checks everything but the signature.
    ///
    /// - Parameters:
    ///   - value: the bencoded content.
    ///   - pieceCount: of the torrent, where we know that.
    ///   - unixMilliseconds: now.
    package init(
        _ value: RawSpan,
        key: Ed25519.PublicKey,
        of infoHash: InfoHash,
        pieceCount: Int? = nil,
        sequence: Int64,
        signature: Ed25519.Signature,
        at unixMilliseconds: Int64
    ) throws(RecordFault) {
        guard value.byteCount <= AvailabilityRecord.longestValue else { throw .tooLong }
        let content = try RecordContent(parsing: value)
        if let pieceCount, pieceCount != content.pieceCount { throw .pieceCount }
        let latest = unixMilliseconds.addingReportingOverflow(AvailabilityRecord.clockTolerance).partialValue
        guard sequence >= 0 else { throw .field }
        guard sequence <= latest else { throw .fromTheFuture }
        // Of the two only the sequence comes from a stranger, and may be anything.
        let earliest = unixMilliseconds.subtractingReportingOverflow(
            content.lifetime + AvailabilityRecord.clockTolerance
        )
        guard sequence >= earliest.partialValue else { throw .expired }
        self.infoHash = infoHash
        self.key = key
        self.sequence = sequence
        self.signature = signature
        self.value = value.copy(0..<value.byteCount) ?? []
        self.content = content
    }
}
