import CBench
import Glibc

/// A folder of our own that is removed with all that is in it.
struct TemporaryFolder: ~Copyable {
    let path: String

    /// - Parameter parent: where; the usual place by default.
    init(in parent: String = TemporaryFolder.usual) throws(BenchError) {
        var template = Array("\(parent)/shoal-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .failed("cannot make a folder in \(parent): \(systemError())") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { cbench_remove_folder(path) }

    static var usual: String {
        guard let value = getenv("TMPDIR") else { return "/tmp" }
        let path = String(cString: value)
        return path.isEmpty ? "/tmp" : path
    }
}

/// What the last system call complained about.
func systemError() -> String { String(cString: strerror(errno)) }
