import Bencode
import Primitives

/// Reads any bytes as bencode under every set of limits, and checks what must hold whatever they are.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
    for limits in [BencodeLimits.krpc, .extensionMessage, .torrent] {
        skip(input, limits)
        walk(input, limits)
    }
    return 0
}

/// A value that was skipped lies at the start, and reads again the same from its own bytes.
private func skip(_ input: [UInt8], _ limits: BencodeLimits) {
    var reader = BencodeReader(input.span.bytes, limits: limits)
    guard let range = try? reader.skipValue() else { return }
    precondition(range == 0..<reader.offset && reader.depth == 0 && reader.rest.upperBound == input.count)
    let value = reader.copy(range)
    var again = BencodeReader(value.span.bytes, limits: limits)
    precondition((try? again.skipValue()) == range && (try? again.finish()) != nil)
    precondition(again.orderFaults == reader.orderFaults)
}

/// What was read, written again, is as long as it was: there is one way to write each token.
private func walk(_ input: [UInt8], _ limits: BencodeLimits) {
    var reader = BencodeReader(input.span.bytes, limits: limits)
    var writer = BencodeWriter()
    repeat {
        guard let token = try? reader.next() else { return }
        precondition(reader.depth <= limits.depth && reader.offset <= input.count)
        switch token {
        case .integer(let value): writer.integer(value)
        case .string(let range): writer.string(reader.slice(range))
        // Lists, so that the writer does not insist on sorted keys.
        case .list, .dictionary: writer.beginList()
        case .end: writer.end()
        }
    } while reader.depth > 0
    precondition(writer.count == reader.offset)
}
