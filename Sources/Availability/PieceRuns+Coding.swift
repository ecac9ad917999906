import Primitives

extension PieceRuns {
    /// Reads form 3 behind its first byte: the gap before a run and its length, again and again.
    init(parsing bytes: RawSpan, pieceCount: Int) throws(HaveBlobFault) {
        var runs: [Range<Int>] = []
        var offset = 0
        var end = 0
        while offset < bytes.byteCount {
            let gap = try LEB128.read(bytes, at: &offset)
            let length = try LEB128.read(bytes, at: &offset)
            guard length > 0, gap > 0 || runs.isEmpty else { throw .malformedRuns }
            // Both are below 2^28, and so is `end`.
            let start = end + gap
            end = start + length
            guard end <= pieceCount else { throw .outOfRange }
            runs.append(start..<end)
        }
        guard !runs.isEmpty else { throw .malformedRuns }
        self.init(runs, pieceCount: pieceCount)
    }
}

/// Pieces in form 3, where they fit.
struct RunsEncoding {
    let bytes: [UInt8]
    let runs: PieceRuns

    init?(_ pieces: Bitfield, fitting limit: Int) {
        var bytes = [HaveBlob.Form.runs.rawValue]
        var runs: [Range<Int>] = []
        var end = 0
        while let start = pieces.firstIndex(of: true, from: end) {
            let gap = start - end
            end = pieces.firstIndex(of: false, from: start) ?? pieces.count
            LEB128.append(gap, to: &bytes)
            LEB128.append(end - start, to: &bytes)
            guard bytes.count <= limit else { return nil }
            runs.append(start..<end)
        }
        self.bytes = bytes
        self.runs = PieceRuns(runs, pieceCount: pieces.count)
    }
}

/// Numbers in groups of seven bits, the lowest first, all but the last byte with the highest bit set.
///
/// Each number has one form only: else two records would say the same in different words.
enum LEB128 {
    /// Four bytes hold every number of pieces.
    private static let longest = 4

    static func append(_ number: Int, to bytes: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    static func byteCount(of number: Int) -> Int {
        number < 1 << 7 ? 1 : number < 1 << 14 ? 2 : number < 1 << 21 ? 3 : 4
    }

    /// Reads a number below 2^28.
    static func read(_ bytes: RawSpan, at offset: inout Int) throws(HaveBlobFault) -> Int {
        var number = 0
        for index in 0..<longest {
            guard let byte = bytes.byte(at: offset) else { throw .wrongLength }
            offset += 1
            number |= Int(byte & 0x7f) << (7 * index)
            guard byte & 0x80 == 0 else { continue }
            guard byte != 0 || index == 0 else { throw .overlongNumber }
            return number
        }
        throw .outOfRange
    }
}
