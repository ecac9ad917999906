import Bencode
import Cryptography
package import Primitives

/// The `info` dictionary of a v1 torrent (BEP 3): what its name, the info-hash, stands for.
package struct InfoDictionary: Sendable {
    /// As received, byte for byte: the info-hash is theirs, and peers are served them (BEP 9).
    package let bytes: [UInt8]
    package let infoHash: InfoHash
    /// Of the file or the folder; safe as a file name.
    package let name: String
    package let layout: PieceLayout
    package let files: FileLayout
    package let pieceHashes: PieceHashes
    /// Whether peers may be learnt from nothing but the torrent's own trackers (BEP 27).
    package let isPrivate: Bool
    /// Whether the dictionary describes the same files for v2 too (BEP 52); we use the v1 part.
    package let isHybrid: Bool
    /// Keys that were unsorted or repeated (hardening P4).
    package let orderFaults: Int

    /// Reads an `info` dictionary, which must be all there is in `bytes`.
    ///
    /// Takes time that grows with the number of files (half a second for hostile input): not on the loop's thread.
    package init(parsing bytes: [UInt8], limits: MetainfoLimits = .standard) throws(MetainfoError) {
        guard bytes.count <= limits.info.byteCount else {
            throw .moreBytesThan(limits.info.byteCount, in: .info)
        }
        var fields = InfoFields()
        var reader = BencodeReader(bytes.span.bytes, limits: limits.info)
        do throws(BencodeError) {
            try fields.read(from: &reader, fileCount: limits.fileCount)
            try reader.finish()
        } catch {
            throw .malformed(error, in: fields.current)
        }
        try self.init(fields, bytes: bytes, orderFaults: reader.orderFaults, limits: limits)
    }

    private init(
        _ fields: InfoFields,
        bytes: [UInt8],
        orderFaults: Int,
        limits: MetainfoLimits
    ) throws(MetainfoError) {
        guard let pieces = fields.pieces else {
            throw fields.isVersionTwo ? .versionTwoOnly : .missing(.pieces)
        }
        guard let pieceLength = fields.pieceLength else { throw .missing(.pieceLength) }
        guard MetainfoLimits.pieceLengths.contains(pieceLength), pieceLength.isMultiple(of: 1024) else {
            throw .pieceLength(pieceLength)
        }
        guard pieces.count.isMultiple(of: UInt160.byteCount) else {
            throw .piecesNotWhole(byteCount: pieces.count)
        }
        let root = try InfoDictionary.root(fields, in: bytes)
        files = try InfoDictionary.files(fields, in: bytes, under: root, limit: limits.fileCount)
        layout = PieceLayout(totalSize: files.totalSize, pieceLength: Int(pieceLength))
        pieceHashes = PieceHashes(bytes, pieces)
        guard pieceHashes.count == layout.pieceCount else {
            throw .pieceCount(found: pieceHashes.count, needed: layout.pieceCount)
        }
        name = root.text
        isPrivate = fields.isPrivate
        isHybrid = fields.isVersionTwo
        self.orderFaults = orderFaults
        self.bytes = bytes
        infoHash = InfoHash(SHA1.hash(bytes).value)
    }

    private static func root(_ fields: InfoFields, in bytes: [UInt8]) throws(MetainfoError) -> SafePath {
        guard let name = fields.nameUTF8 ?? fields.name else { throw .missing(.name) }
        do throws(SafePath.Refusal) {
            return try SafePath([name], in: bytes.span.bytes)
        } catch {
            throw .name(error)
        }
    }

    private static func files(
        _ fields: InfoFields,
        in bytes: [UInt8],
        under root: SafePath,
        limit: Int
    ) throws(MetainfoError) -> FileLayout {
        guard let list = fields.files else {
            guard let length = fields.length else { throw .missing(.length) }
            return try FileLayout([(root, length, .regular)])
        }
        guard fields.length == nil else { throw .lengthAndFiles }
        guard list.count <= limit else { throw .moreFilesThan(limit) }
        guard !list.isEmpty else { throw .noFiles }
        var files: [(path: SafePath, length: Int64, kind: FileLayout.Kind)] = []
        files.reserveCapacity(list.count)
        var names: [Range<Int>] = []
        for (index, file) in list.enumerated() {
            guard let path = file.pathUTF8 ?? file.path else { throw .missing(.path) }
            // A symlink takes no room in the pieces, whatever its length says (as in libtorrent).
            guard let length = file.kind == .symlink ? 0 : file.length else { throw .missing(.length) }
            try InfoDictionary.names(path, in: bytes, into: &names)
            do throws(SafePath.Refusal) {
                files.append((try SafePath(names, in: bytes.span.bytes, under: root), length, file.kind))
            } catch {
                throw .path(error, file: index)
            }
        }
        return try FileLayout(files)
    }

    /// Where the strings of the list at `range` are.
    private static func names(
        _ range: Range<Int>,
        in bytes: [UInt8],
        into names: inout [Range<Int>]
    ) throws(MetainfoError) {
        names.removeAll(keepingCapacity: true)
        let limits = BencodeLimits(depth: 1, tokens: SafePath.deepest + 2, byteCount: range.count)
        var reader = BencodeReader(bytes.span.bytes.extracting(range), limits: limits)
        do throws(BencodeError) {
            try reader.beginList()
            while try reader.hasElement() {
                let name = try reader.string()
                names.append(name.lowerBound + range.lowerBound..<name.upperBound + range.lowerBound)
            }
        } catch {
            throw .malformed(BencodeError(error.kind, at: error.offset + range.lowerBound), in: .path)
        }
    }
}
