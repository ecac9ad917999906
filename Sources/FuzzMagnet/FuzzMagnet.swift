import Metainfo
import Primitives

/// Reads any bytes as a magnet link; a link that was understood must print to one that reads back the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
    let text = String(decoding: input, as: UTF8.self)
    _ = InfoHash(text: text)
    _ = HostAndPort(text)
    do throws(MagnetError) {
        let link = try MagnetLink(parsing: text)
        // Percent-encoding makes text longer, possibly too long to be read again.
        guard link.description.utf8.count <= MagnetLink.longest else { return 0 }
        precondition((try? MagnetLink(parsing: link.description)) == link)
    } catch {
        precondition(!error.description.isEmpty)
    }
    return 0
}
