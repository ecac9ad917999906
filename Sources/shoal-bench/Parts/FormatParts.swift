import Bencode
import Cryptography
import Metainfo
import Primitives

/// Reading bencode: tokens alone, and whole torrents with all checks.
enum FormatParts {
    static func measured() throws(BenchError) -> [Measurement] {
        var random = SeededRandom(seed: 1)
        let query = Array(
            "d1:ad2:id20:aaaaaaaaaaaaaaaaaaaa9:info_hash20:bbbbbbbbbbbbbbbbbbbbe1:q9:get_peers1:t2:xy1:y1:qe".utf8
        )
        let file = try torrent(.file(length: 1 << 30), using: &random)
        let folder = TorrentBuilder.Content.folder(
            (0..<1000).map { .init(path: ["folder \($0 % 10)", "file \($0)"], length: 1_000_000) }
        )
        let files = try torrent(folder, using: &random)
        return [
            try Measurement.of("tokens of a get_peers query, \(query.count) bytes", operations: 1000) {
                () throws(BenchError) in
                for _ in 0..<1000 { try readTokens(query) }
            },
            try parsing(file, "a .torrent of one file, \(file.count >> 10) KiB"),
            try parsing(files, "a .torrent of 1000 files, \(files.count >> 10) KiB"),
        ]
    }

    private static func readTokens(_ bytes: [UInt8]) throws(BenchError) {
        var reader = BencodeReader(bytes.span.bytes, limits: .krpc)
        do throws(BencodeError) {
            try reader.skipValue()
            try reader.finish()
        } catch {
            throw .failed("the query is not read: \(error)")
        }
    }

    private static func parsing(_ bytes: [UInt8], _ name: String) throws(BenchError) -> Measurement {
        try Measurement.of(name, operations: 10, rounds: 20) { () throws(BenchError) in
            for _ in 0..<10 {
                do throws(MetainfoError) {
                    Measurement.keep(try Torrent(parsing: bytes))
                } catch {
                    throw .failed("the torrent is not read: \(error)")
                }
            }
        }
    }

    private static func torrent(
        _ content: TorrentBuilder.Content,
        using random: inout SeededRandom
    ) throws(BenchError) -> [UInt8] {
        var builder = TorrentBuilder(name: "bench", content: content)
        let layout = PieceLayout(totalSize: content.totalSize, pieceLength: builder.pieceLength)
        for _ in 0..<layout.pieceCount { builder.pieceHashes.append(SHA1Digest(.random(using: &random))) }
        do throws(MetainfoError) {
            return try builder.build().encoded
        } catch {
            throw .failed("no torrent: \(error)")
        }
    }
}
