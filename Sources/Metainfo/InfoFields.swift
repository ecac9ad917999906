import Bencode

/// What stands in an `info` dictionary, before anything of it is believed.
struct InfoFields {
    struct File {
        var length: Int64?
        /// Where the lists of names are.
        var path: Range<Int>?
        var pathUTF8: Range<Int>?
        var kind = FileLayout.Kind.regular
    }

    var name: Range<Int>?
    /// Older makers put text in another encoding into `name` and `path`, and UTF-8 beside it.
    var nameUTF8: Range<Int>?
    var pieceLength: Int64?
    var pieces: Range<Int>?
    var length: Int64?
    var files: [File]?
    var isPrivate = false
    var isVersionTwo = false

    /// The field that is being read, to be named where it is refused.
    private(set) var current = MetainfoError.Field.info

    /// Reads the dictionary; stops keeping files one above `fileCount`.
    mutating func read(from reader: inout BencodeReader, fileCount: Int) throws(BencodeError) {
        try reader.beginDictionary()
        while let key = try reader.nextKey() {
            if reader.matches(key, "files") {
                current = .files
                files = try readFiles(from: &reader, fileCount: fileCount)
            } else {
                try readField(key, from: &reader)
            }
            current = .info
        }
    }

    private mutating func readField(_ key: Range<Int>, from reader: inout BencodeReader) throws(BencodeError) {
        if reader.matches(key, "name") {
            current = .name
            name = try reader.string()
        } else if reader.matches(key, "name.utf-8") {
            current = .nameUTF8
            nameUTF8 = try reader.optionalString()
        } else if reader.matches(key, "piece length") {
            current = .pieceLength
            pieceLength = try reader.integer()
        } else if reader.matches(key, "pieces") {
            current = .pieces
            pieces = try reader.string()
        } else if reader.matches(key, "length") {
            current = .length
            length = try reader.integer()
        } else if reader.matches(key, "private") {
            current = .isPrivate
            // Anything but 0 means that somebody wanted it private.
            isPrivate = try reader.optionalInteger().map { $0 != 0 } ?? false
        } else if reader.matches(key, "meta version") {
            current = .metaVersion
            isVersionTwo = try reader.optionalInteger().map { $0 >= 2 } ?? false
        } else {
            try reader.skipValue()
        }
    }

    private mutating func readFiles(
        from reader: inout BencodeReader,
        fileCount: Int
    ) throws(BencodeError) -> [File] {
        var files: [File] = []
        try reader.beginList()
        while try reader.hasElement() {
            let file = try readFile(from: &reader)
            if files.count <= fileCount { files.append(file) }
            current = .files
        }
        return files
    }

    private mutating func readFile(from reader: inout BencodeReader) throws(BencodeError) -> File {
        var file = File()
        try reader.beginDictionary()
        while let key = try reader.nextKey() {
            if reader.matches(key, "length") {
                current = .length
                file.length = try reader.integer()
            } else if reader.matches(key, "path") {
                current = .path
                file.path = try reader.skipValue()
            } else if reader.matches(key, "path.utf-8") {
                current = .pathUTF8
                file.pathUTF8 = try reader.skipValue()
            } else if reader.matches(key, "attr") {
                current = .attributes
                file.kind = InfoFields.kind(try reader.optionalString().map { reader.copy($0) } ?? [])
            } else {
                try reader.skipValue()
            }
            current = .files
        }
        return file
    }

    /// BEP 47: `p` for padding, `l` for a symlink; `x` and `h` change nothing here.
    private static func kind(_ attributes: [UInt8]) -> FileLayout.Kind {
        if attributes.contains(UInt8(ascii: "l")) { return .symlink }
        return attributes.contains(UInt8(ascii: "p")) ? .padding : .regular
    }
}
