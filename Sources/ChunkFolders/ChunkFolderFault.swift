package import Storage
package import TrackerProtocol

/// Why a chunk folder cannot be used, in words for a person.
package enum ChunkFolderFault: Error, Hashable, Sendable {
    /// The list says something that is not believed.
    case list(path: String, ChunkList.Fault)
    case noList(path: String)
    case listExists(path: String)
    /// The list names a file that is not there.
    case fileMissing(path: String, chunk: Int)
    case chunkTooLarge(path: String, most: Int64)
    case tooManyChunks(path: String, most: Int)
    case incomplete(path: String, missing: [Int])
    case outputExists(path: String)
    case storage(StorageError)
    /// The port, the address or the descriptors.
    case network(String)
    /// The tracker refused, and will again.
    case tracker(String)

    /// For an exit code.
    package enum Kind: Hashable, Sendable {
        case badData
        case notFound
        case files
        case network
    }

    package var kind: Kind {
        switch self {
        case .list, .incomplete: .badData
        case .noList, .fileMissing, .storage(.notFound): .notFound
        case .listExists, .outputExists, .chunkTooLarge, .tooManyChunks, .storage: .files
        case .network, .tracker: .network
        }
    }

    package var message: String {
        switch self {
        case .list(let path, let fault): "\(path) is not used: \(fault.message)"
        case .noList(let path):
            "\(path) does not exist; a chunk folder has one, whose last line is like 4,LASTCHUNK "
                + "(shoal chunks import DIR FILE makes one)"
        case .listExists(let path): "\(path) exists; import into a folder that has no chunks yet"
        case .fileMissing(let path, let chunk):
            "\(path), the file of chunk \(chunk), is not there; remove its line to have it fetched"
        case .chunkTooLarge(let path, let most): "\(path) is larger than a chunk may be (\(most) bytes)"
        case .tooManyChunks(let path, let most):
            "\(path) would make more than \(most) chunks; choose a larger --piece-length"
        case .incomplete(let path, let missing):
            "\(path) lacks \(missing.count) of its chunks (\(ChunkFolderFault.list(missing))); "
                + "fetch them with shoal chunks run"
        case .outputExists(let path): "\(path) exists; choose another name with -o"
        case .storage(let error): error.message
        case .network(let message), .tracker(let message): message
        }
    }

    private static func list(_ numbers: [Int]) -> String {
        numbers.prefix(8).map(String.init).joined(separator: ", ") + (numbers.count > 8 ? " ..." : "")
    }
}
