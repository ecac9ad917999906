import EventLoop
import Primitives
import Storage

/// The name by which a tracker node finds its own swarms in the database again: random, made at its first start and kept
/// in `tracker.id` of its state folder.
struct NodeIdentity {
    /// 16 hexadecimal digits.
    let name: String
    /// Held while the node runs: two nodes by one name would take each other's swarms for their own.
    private let lock: FileLock?

    /// - Parameter folder: `nil` for a name of this run alone, which is also what a second process in one folder gets; what
    ///   was written down under another name is then known as another node's.
    init(folder: String?) {
        var writer = ByteWriter(capacity: 8)
        writer.bigEndian(OSRandom.seed())
        let made = Hex.encode(writer.bytes)
        guard let folder, let lock = try? FileLock(folder + "/tracker.lock") else {
            (name, lock) = (made, nil)
            return
        }
        self.lock = lock
        let path = folder + "/tracker.id"
        if let bytes = SmallFile.read(path, limit: 64), let kept = NodeIdentity.name(in: bytes) {
            name = kept
        } else {
            name = made
            SmallFile.replace(path, with: Array((made + "\n").utf8))
        }
    }

    private static func name(in bytes: [UInt8]) -> String? {
        let text = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return text.utf8.count == 16 && Hex.decode(text) != nil ? text : nil
    }
}
