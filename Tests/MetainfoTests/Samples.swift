import Bencode
import Metainfo
import Primitives

/// A torrent file that a test can spoil, field by field.
struct Sample {
    struct File {
        var path: [[UInt8]]
        var length: Int64?
        var attributes: String?

        init(_ path: [String], _ length: Int64? = 1, attributes: String? = nil) {
            self.path = path.map { Array($0.utf8) }
            self.length = length
            self.attributes = attributes
        }
    }

    var name: [UInt8]? = Array("sample".utf8)
    var pieceLength: Int64? = 1024
    var pieces: Int? = nil
    var length: Int64? = nil
    var files: [File]? = nil
    var isPrivate: Int? = nil
    var metaVersion: Int? = nil

    /// Hashes for what the files need, unless `pieces` says how many bytes.
    private var hashes: [UInt8] {
        let total = length ?? (files ?? []).reduce(0) { $0 &+ ($1.attributes == "l" ? 0 : $1.length ?? 0) }
        let size = max(pieceLength ?? 1024, 1)
        let count = pieces ?? Int(min(max(total, 0) / size + (max(total, 0) % size > 0 ? 1 : 0), 1000)) * 20
        return (0..<count).map { UInt8(truncatingIfNeeded: $0 / 20) }
    }

    var info: [UInt8] {
        var writer = BencodeWriter()
        writer.dictionary { writer in
            if let files {
                writer.key("files")
                writer.list { for file in files { Sample.write(file, to: &$0) } }
            }
            if let length {
                writer.key("length")
                writer.integer(length)
            }
            if let metaVersion {
                writer.key("meta version")
                writer.integer(metaVersion)
            }
            if let name {
                writer.key("name")
                writer.string(name)
            }
            if let pieceLength {
                writer.key("piece length")
                writer.integer(pieceLength)
            }
            if pieces != -1 {
                writer.key("pieces")
                writer.string(hashes)
            }
            if let isPrivate {
                writer.key("private")
                writer.integer(isPrivate)
            }
        }
        return writer.take()
    }

    private static func write(_ file: File, to writer: inout BencodeWriter) {
        writer.dictionary { writer in
            if let attributes = file.attributes {
                writer.key("attr")
                writer.string(attributes)
            }
            if let length = file.length {
                writer.key("length")
                writer.integer(length)
            }
            writer.key("path")
            writer.list { for name in file.path { $0.string(name) } }
        }
    }

    /// Why the dictionary is refused, or `nil`.
    func refusal(limits: MetainfoLimits = .standard) -> MetainfoError? {
        MetainfoTests.refusal(of: info, limits: limits)
    }
}

/// Why an info dictionary is refused, or `nil`.
func refusal(of info: [UInt8], limits: MetainfoLimits = .standard) -> MetainfoError? {
    do throws(MetainfoError) {
        _ = try InfoDictionary(parsing: info, limits: limits)
        return nil
    } catch {
        return error
    }
}
