import Availability
import Cryptography
import Primitives

/// Feeds one input to the reader of records: eight bytes of sequence number, then the value.
///
/// What is read can be signed again, and then says the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafeRawPointer?, _ count: Int) -> CInt {
    // Safe: libFuzzer hands over `count` readable bytes for the time of the call.
    let input = unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    let bytes = input.span.bytes
    guard let word = bytes.bigEndian(UInt64.self, at: 0) else { return 0 }
    let nothing = [UInt8](repeating: 0, count: 64)
    let infoHash = InfoHash(UInt160(high: 1, middle: 2, low: 3))
    guard let key = Ed25519.PublicKey(nothing.span.bytes), let signature = Ed25519.Signature(nothing.span.bytes),
        let claim = try? RecordClaim(
            bytes.extracting(8..<bytes.byteCount),
            key: key,
            of: infoHash,
            sequence: Int64(bitPattern: word),
            signature: signature,
            at: 1_700_000_000_000
        )
    else { return 0 }
    precondition((try? AvailabilityRecord(verifying: claim)) == nil)
    precondition((1...claim.content.pieceCount).contains(claim.content.heldCount))
    let seed = [UInt8](repeating: 7, count: 32)
    guard let signer = Ed25519.SigningKey(seed: seed.span.bytes) else { return 0 }
    let record = try? AvailabilityRecord(
        signing: claim.content,
        of: infoHash,
        sequence: claim.sequence,
        with: signer
    )
    precondition(record != nil)
    guard let record else { return 0 }
    let again = try? RecordClaim(
        record.value.span.bytes,
        key: record.key,
        of: infoHash,
        sequence: record.sequence,
        signature: record.signature,
        at: 1_700_000_000_000
    )
    precondition(again?.content == claim.content)
    return 0
}
