import Primitives

extension PieceDigest {
    /// Reads form 4 behind its first byte: a nibble for each bucket, then how many pieces are named, and the steps between
    /// them.
    init(parsing bytes: RawSpan, pieceCount: Int) throws(HaveBlobFault) {
        let buckets = PieceDigest.bucketCount(ofPieces: pieceCount)
        var levels: [UInt8] = []
        for bucket in 0..<buckets {
            guard let byte = bytes.byte(at: bucket / 2) else { throw .wrongLength }
            let level = bucket.isMultiple(of: 2) ? byte >> 4 : byte & 15
            guard level != PieceDigest.unused else { throw .unusedLevel }
            levels.append(level)
        }
        var offset = (buckets + 1) / 2
        if !buckets.isMultiple(of: 2), let last = bytes.byte(at: offset - 1), last & 15 != 0 { throw .spareBitSet }
        let count = try LEB128.read(bytes, at: &offset)
        // Each takes a byte or more.
        guard count <= bytes.byteCount - offset else { throw .wrongLength }
        var listed: [Int] = []
        var next = 0
        for _ in 0..<count {
            let piece = next + (try LEB128.read(bytes, at: &offset))
            guard piece < pieceCount else { throw .outOfRange }
            guard levels[PieceDigest.bucket(of: piece, pieceCount: pieceCount)] > 0 else { throw .contradiction }
            listed.append(piece)
            next = piece + 1
        }
        guard offset == bytes.byteCount else { throw .wrongLength }
        self.init(levels: levels, listed: listed, pieceCount: pieceCount)
    }
}

/// Pieces in form 4, which always fits.
struct DigestEncoding {
    let bytes: [UInt8]
    let digest: PieceDigest

    init(_ pieces: Bitfield, rarestFirst: some Sequence<Int>, fitting limit: Int) {
        let buckets = PieceDigest.bucketCount(ofPieces: pieces.count)
        var levels: [UInt8] = []
        for bucket in 0..<buckets {
            let range = PieceDigest.range(ofBucket: bucket, pieceCount: pieces.count)
            levels.append(PieceDigest.level(held: pieces.setCount(in: range), of: range.count))
        }
        var bytes = [HaveBlob.Form.digest.rawValue]
        for bucket in stride(from: 0, to: buckets, by: 2) {
            bytes.append(levels[bucket] << 4 | (bucket + 1 < buckets ? levels[bucket + 1] : 0))
        }
        let named = DigestEncoding.named(pieces, rarestFirst, levels, fitting: limit - bytes.count)
        LEB128.append(named.count, to: &bytes)
        for step in DigestEncoding.steps(named) { LEB128.append(step, to: &bytes) }
        self.bytes = bytes
        digest = PieceDigest(levels: levels, listed: named, pieceCount: pieces.count)
    }

    /// As many of the rarest as fit, ascending. Pieces of a full bucket need no name.
    private static func named(
        _ pieces: Bitfield,
        _ rarestFirst: some Sequence<Int>,
        _ levels: [UInt8],
        fitting room: Int
    ) -> [Int] {
        var known: Set<Int> = []
        var wanted: [Int] = []
        for piece in rarestFirst where pieces[piece] {
            let level = levels[PieceDigest.bucket(of: piece, pieceCount: pieces.count)]
            guard level != PieceDigest.full, known.insert(piece).inserted else { continue }
            wanted.append(piece)
            // None takes less than a byte.
            if wanted.count == room { break }
        }
        // More pieces never take less room, so the most that fit are found by halves.
        var (fitting, tooMany) = (0, wanted.count + 1)
        while tooMany - fitting > 1 {
            let middle = (fitting + tooMany) / 2
            let size = steps(wanted.prefix(middle).sorted()).reduce(LEB128.byteCount(of: middle)) {
                $0 + LEB128.byteCount(of: $1)
            }
            if size <= room { fitting = middle } else { tooMany = middle }
        }
        return wanted.prefix(fitting).sorted()
    }

    /// What each piece is more than the one that would follow the one before it.
    private static func steps(_ ascending: [Int]) -> [Int] {
        var next = 0
        return ascending.map { piece in
            defer { next = piece + 1 }
            return piece - next
        }
    }
}
