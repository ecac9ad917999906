package import Bencode

/// Why a `.torrent` file or an `info` dictionary is refused. Each names the field at fault (hardening F9).
package enum MetainfoError: Error, Hashable, Sendable {
    /// A key of the outer dictionary or of `info` (BEP 3, 5, 12, 27, 47, 52).
    package enum Field: String, Hashable, Sendable {
        case announce
        case announceList = "announce-list"
        case comment
        case createdBy = "created by"
        case creationDate = "creation date"
        case info
        case nodes
        case files
        case fileTree = "file tree"
        case length
        case metaVersion = "meta version"
        case name
        case nameUTF8 = "name.utf-8"
        case pieceLength = "piece length"
        case pieces
        case isPrivate = "private"
        case attributes = "attr"
        case path
        case pathUTF8 = "path.utf-8"
    }

    /// Not bencode, or of the wrong type; the field where it happened, if in a known one.
    case malformed(BencodeError, in: Field?)
    case missing(Field)
    case pieceLength(Int64)
    case piecesNotWhole(byteCount: Int)
    case pieceCount(found: Int, needed: Int)
    case negativeLength(Int64)
    case totalTooLarge
    case noFiles
    case moreFilesThan(Int)
    case lengthAndFiles
    /// The torrent's own name.
    case name(SafePath.Refusal)
    /// A path in `files`, by its index.
    case path(SafePath.Refusal, file: Int)
    case repeatedPath(String)
    case fileInsideFile(String)
    /// A name of our own that others would have to mend, so that they would see another file than we do.
    case nameNeedsMending(String)
    case moreBytesThan(Int, in: Field)
    case versionTwoOnly
}

extension MetainfoError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .malformed(let error, nil): "\(error)"
        case .malformed(let error, let field?): "\(field.rawValue): \(error)"
        case .missing(let field): "\(field.rawValue): the field is missing"
        case .pieceLength(let length): "piece length: \(length) is not a multiple of 1 KiB from 1 KiB to 256 MiB"
        case .piecesNotWhole(let count): "pieces: \(count) bytes are not a whole number of 20-byte hashes"
        case .pieceCount(let found, let needed): "pieces: \(found) hashes where the files need \(needed)"
        case .negativeLength(let length): "length: \(length) is negative"
        case .totalTooLarge: "length: all files together are 2^60 bytes or more"
        case .noFiles: "files: the list is empty"
        case .moreFilesThan(let count): "files: more than \(count)"
        case .lengthAndFiles: "length: given together with files"
        case .name(let refusal): "name: \(refusal)"
        case .path(let refusal, let file): "path: \(refusal) (file \(file))"
        case .repeatedPath(let path): "path: two files are called \(path), or nearly so"
        case .fileInsideFile(let path): "path: \(path) lies inside another file"
        case .nameNeedsMending(let path): "path: \(path) contains invisible characters or is not UTF-8"
        case .moreBytesThan(let count, let field): "\(field.rawValue): longer than \(count) bytes"
        case .versionTwoOnly: "meta version: v2 torrents are not supported yet"
        }
    }
}
