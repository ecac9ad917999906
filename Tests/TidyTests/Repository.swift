import FoundationEssentials

/// The sources that the style rules are checked against: this checkout, found by the path of this file.
enum Repository {
    static let root = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }

    static let sources = swiftFiles(under: "Sources")
    static let tests = swiftFiles(under: "Tests")

    /// Names of the folders of `Sources` that hold Swift, one for each target.
    static let targets = Set(sources.map(\.target)).sorted()

    /// Fuzz targets by the name of their seeds: `wire` for `Sources/FuzzWire` (scripts/fuzz).
    static let fuzzTargets = targets.filter { $0.hasPrefix("Fuzz") }.map { $0.dropFirst(4).lowercased() }

    /// Programs that people and machines start by their path.
    static let scripts: [String] = {
        let named = files(under: "scripts").filter { !$0.contains("__pycache__") && !$0.contains(".") }
        return named + [".ci/run", "Tests/InteropTests/run", "Tests/EndToEndTests/run"].filter(exists)
    }()

    /// Paths below a folder, relative to the root, sorted.
    static func files(under folder: String) -> [String] {
        let paths = (try? FileManager.default.subpathsOfDirectory(atPath: root + "/" + folder)) ?? []
        return paths.map { folder + "/" + $0 }.filter { !isFolder($0) }.sorted()
    }

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: root + "/" + path) }

    static func isExecutable(_ path: String) -> Bool { FileManager.default.isExecutableFile(atPath: root + "/" + path) }

    static func text(of path: String) -> String {
        (try? String(contentsOfFile: root + "/" + path, encoding: .utf8)) ?? ""
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder = false
        return FileManager.default.fileExists(atPath: root + "/" + path, isDirectory: &isFolder) && isFolder
    }

    private static func swiftFiles(under folder: String) -> [SourceFile] {
        files(under: folder).filter { $0.hasSuffix(".swift") }.map { SourceFile(path: $0, text: text(of: $0)) }
    }
}
