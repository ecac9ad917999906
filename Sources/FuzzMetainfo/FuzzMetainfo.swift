import Metainfo
import Primitives

/// Reads any bytes as a torrent file and as an `info` dictionary, and checks what a stranger must not be able to break.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
    if let info = try? InfoDictionary(parsing: input) { check(info) }
    do throws(MetainfoError) {
        let torrent = try Torrent(parsing: input)
        check(torrent.info)
        let again = try? Torrent(parsing: torrent.encoded)
        precondition(again?.infoHash == torrent.infoHash && again?.encoded == torrent.encoded)
    } catch {
        precondition(!error.description.isEmpty)
    }
    return 0
}

private func check(_ info: InfoDictionary) {
    let files = info.files
    precondition(info.pieceHashes.count == info.layout.pieceCount && info.layout.totalSize == files.totalSize)
    for file in files.files {
        precondition(file.range.lowerBound >= 0 && file.range.upperBound <= files.totalSize)
        precondition(isInside(file.path, root: info.name))
    }
    checkDistinct(
        files.files.filter { $0.kind != .padding }.prefix(40).map { $0.path.components.map { $0.lowercased() } }
    )
    for piece in [0, info.layout.pieceCount / 2, info.layout.pieceCount - 1] {
        let length = files.slices(ofPiece: piece, in: info.layout).reduce(0) { $0 + $1.length }
        precondition(length == info.layout.length(ofPiece: piece))
        for slice in files.slices(ofPiece: piece, in: info.layout) {
            precondition(files.pieces(ofFile: slice.file, in: info.layout).contains(piece))
            precondition(slice.offset + Int64(slice.length) <= files.files[slice.file].length)
        }
    }
}

/// No path equals or contains another, told by comparing all pairs name by name.
private func checkDistinct(_ paths: [[String]]) {
    for (index, path) in paths.enumerated() {
        for other in paths.dropFirst(index + 1) { precondition(zip(path, other).contains { $0 != $1 }) }
    }
}

/// Whether a path stays in the torrent's folder, told without the code that made it.
private func isInside(_ path: SafePath, root: String) -> Bool {
    let names = path.text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard let first = names.first, first.elementsEqual(root.utf8), names.count <= 32 else { return false }
    return names.allSatisfy { name in
        (1...255).contains(name.count) && !name.elementsEqual(".".utf8) && !name.elementsEqual("..".utf8)
            && name.allSatisfy { $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\\") }
    }
}
