/// `local_chunks.txt`: which chunks of a set lie in a folder, each in a file of its own, and how many the set has.
///
///     1,chunk_1
///     3,chunk_3
///     4,LASTCHUNK
///
/// The last line says that the set has four chunks. It names no file: a folder that has the fourth chunk says so in a line
/// of its own, `4,chunk_4`.
package struct ChunkList: Hashable, Sendable {
    package static let fileName = "local_chunks.txt"
    /// The word that stands in the place of a file in the last line.
    package static let lastChunk = "LASTCHUNK"
    /// A list of the highest number of chunks with the longest names is 2.2 MB.
    package static let mostBytes = 4 << 20

    /// Why a list is not believed; the lines count from 1.
    package enum Fault: Error, Hashable, Sendable {
        case tooLong
        case unreadable(line: Int)
        /// The name leads out of the folder, or would write over the list.
        case forbiddenName(line: Int)
        case chunkNumber(line: Int, most: Int)
        case repeated(line: Int)
        case noLastChunk
        /// Lines stand below `LASTCHUNK`.
        case notLast(line: Int)

        package var message: String {
            switch self {
            case .tooLong: "it is longer than \(mostBytes) bytes"
            case .unreadable(let line): "line \(line) is not NUMBER,FILE"
            case .forbiddenName(let line):
                "line \(line) does not name a file inside the folder; use plain names such as chunk_1"
            case .chunkNumber(let line, let most): "line \(line): chunks have the numbers from 1 to \(most)"
            case .repeated(let line): "line \(line) repeats a number or a file"
            case .noLastChunk: "its last line must give the number of chunks, as in 4,\(lastChunk)"
            case .notLast(let line): "line \(line) stands below the line of \(lastChunk), which must be the last"
            }
        }
    }

    /// How many chunks the set has.
    package let chunkCount: Int
    /// The files of the chunks that are here, by number.
    package private(set) var files: [Int: String] = [:]
    /// The numbers in the order of the lines.
    private var order: [Int] = []

    /// An empty list of a set.
    package init(chunkCount: Int) { self.chunkCount = chunkCount }

    package init(parsing bytes: [UInt8], limits: ChunkLimits = ChunkLimits()) throws(Fault) {
        guard bytes.count <= ChunkList.mostBytes else { throw .tooLong }
        var rows: [(chunk: Int, name: String, line: Int)] = []
        var count: Int?
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, text) in lines.enumerated() {
            let line = index + 1
            guard let text = String(validating: text, as: UTF8.self)?.trimmingSpaces else {
                throw .unreadable(line: line)
            }
            guard !text.isEmpty else { continue }
            guard count == nil else { throw .notLast(line: line) }
            guard let comma = text.firstIndex(of: ","), let chunk = Int(decimalDigits: text[..<comma].trimmingSpaces)
            else { throw .unreadable(line: line) }
            guard (1...limits.mostChunks).contains(chunk) else {
                throw .chunkNumber(line: line, most: limits.mostChunks)
            }
            let name = text[text.index(after: comma)...].trimmingSpaces
            if name == ChunkList.lastChunk {
                count = chunk
            } else {
                rows.append((chunk, String(name), line))
            }
        }
        guard let count else { throw .noLastChunk }
        self.init(chunkCount: count)
        var names: Set<[UInt8]> = []
        for row in rows {
            guard row.chunk <= count else { throw .chunkNumber(line: row.line, most: count) }
            guard ChunkList.isPlain(row.name, limits) else { throw .forbiddenName(line: row.line) }
            guard files[row.chunk] == nil, names.insert(Array(row.name.utf8)).inserted else {
                throw .repeated(line: row.line)
            }
            files[row.chunk] = row.name
            order.append(row.chunk)
        }
    }

    /// Whether all chunks are here.
    package var isComplete: Bool { files.count == chunkCount }

    package var missing: [Int] { chunkCount < 1 ? [] : (1...chunkCount).filter { files[$0] == nil } }

    /// Where a chunk that is not here will lie: `chunk_N`, or what is free if a file of another chunk goes by that name.
    package func freeName(for chunk: Int) -> String {
        let taken = Set(files.values)
        var name = "chunk_\(chunk)"
        while taken.contains(name) { name += "_" }
        return name
    }

    /// A chunk lies here now.
    package mutating func add(_ chunk: Int, file: String) {
        if files.updateValue(file, forKey: chunk) == nil { order.append(chunk) }
    }

    /// A chunk is not here any more.
    package mutating func remove(_ chunk: Int) {
        files[chunk] = nil
        order.removeAll { $0 == chunk }
    }

    /// The file's content: new lines come before the last one, whose place others rely on.
    package var text: String {
        order.reduce(into: "") { text, chunk in
            if let file = files[chunk] { text += "\(chunk),\(file)\n" }
        } + "\(chunkCount),\(ChunkList.lastChunk)\n"
    }

    /// A name of one file inside the folder, and not that of the list.
    private static func isPlain(_ name: String, _ limits: ChunkLimits) -> Bool {
        (1...limits.mostNameBytes).contains(name.utf8.count) && name != "." && name != ".." && name != fileName
            && !name.utf8.contains { $0 < 0x20 || $0 == 0x7f || $0 == UInt8(ascii: "/") }
    }
}
