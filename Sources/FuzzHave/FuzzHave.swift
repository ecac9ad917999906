import Availability
import Primitives

/// Feeds one input to the reader of have-blobs: three bytes for the number of pieces, then the blob.
///
/// What is read must hold together, and what is encoded of it must say the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafeRawPointer?, _ count: Int) -> CInt {
    // Safe: libFuzzer hands over `count` readable bytes for the time of the call.
    let input = unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    let bytes = input.span.bytes
    guard let high = bytes.byte(at: 0), let low = bytes.bigEndian(UInt16.self, at: 1) else { return 0 }
    let pieceCount = Int(high & 0x1f) << 16 | Int(low)
    guard let blob = try? HaveBlob(parsing: bytes.extracting(3..<bytes.byteCount), pieceCount: pieceCount) else {
        return 0
    }
    let claims = blob.claims
    precondition(claims.pieceCount == pieceCount)
    for piece in [-1, 0, pieceCount / 2, pieceCount - 1, pieceCount] {
        precondition((0...1).contains(claims.likelihood(of: piece)))
    }
    precondition(claims.likelihood(of: pieceCount) == 0)
    // Larger ones would only be slow.
    guard pieceCount <= 4096, let held = claims.heldCount, held > 0 else { return 0 }
    precondition(claims.certain.setCount == held)
    let again = HaveBlob(claims.certain)
    precondition(again?.claims.certain == claims.certain)
    precondition((again?.bytes.count ?? .max) <= blob.bytes.count)
    return 0
}
