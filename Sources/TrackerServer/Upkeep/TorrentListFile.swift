import Primitives
import Storage

/// A file of info-hashes: one a line, 40 hexadecimal digits or 32 of base 32; `#` begins a comment.
enum TorrentListFile {
    /// A million and a half of torrents.
    private static let mostBytes = 64 << 20

    /// - Throws: which line of which file is wrong.
    static func read(_ path: String) throws(TrackerFault) -> Set<InfoHash> {
        guard let bytes = SmallFile.read(path, limit: mostBytes) else {
            throw TrackerFault(.files, "cannot read the list \(path); it must be a plain file of at most 64 MiB")
        }
        return try parse(bytes, path)
    }

    static func parse(_ bytes: [UInt8], _ path: String) throws(TrackerFault) -> Set<InfoHash> {
        var infoHashes: Set<InfoHash> = []
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let word = line.prefix { $0 != UInt8(ascii: "#") }.filter { $0 > UInt8(ascii: " ") }
            guard !word.isEmpty else { continue }
            let text = String(decoding: word, as: UTF8.self)
            guard let infoHash = InfoHash(hex: text) ?? Base32.decode(text).flatMap({ InfoHash($0) }) else {
                throw TrackerFault(
                    .files,
                    "line \(index + 1) of \(path) is no info-hash; write 40 hexadecimal digits a line, # begins a comment"
                )
            }
            infoHashes.insert(infoHash)
        }
        return infoHashes
    }
}
