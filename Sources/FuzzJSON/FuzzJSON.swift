import JSON

/// Reads any bytes as JSON; a value that was understood must be written so that it reads back the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
    do throws(JSONError) {
        let value = try JSONReader.read(input)
        precondition((try? JSONReader.read(JSONWriter.bytes(value))) == value)
    } catch {
        // What is wrong lies inside the text, or at its end.
        let place: Int? =
            switch error {
            case .unexpected(let place), .badString(let place), .badNumber(let place), .duplicateName(let place),
                .tooDeep(let place), .tooMany(let place), .trailing(let place):
                place
            case .unexpectedEnd: nil
            }
        precondition(place.map { (0...count).contains($0) } ?? true)
    }
    return 0
}
