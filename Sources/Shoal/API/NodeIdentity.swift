import Cryptography
import EventLoop
import Kademlia
import Primitives
import Storage

/// The key that the nodes of one state folder are known by, as far as others may know it.
public struct NodeIdentity: Hashable, Sendable {
    /// The public key in the form that people hand on: `sp1-` and 55 characters.
    public let key: String
    /// The path of the file that holds the private key.
    public let file: String
    /// When the key was made, in seconds since 1970.
    public let created: Int64
    /// The node ID, 40 hexadecimal digits, until others tell the node its address: BEP 42 ties the ID to that.
    public let nodeID: String
    /// The node ID that the last run had in the DHT of IPv4 by its address.
    public let lastNodeID: String?
    /// The same in the DHT of IPv6.
    public let lastNodeID6: String?

    private init(_ file: IdentityFile, in folder: String) {
        let source = NodeIDSource(file.signingKey.publicKey)
        let local = source.id(at: nil)
        let table = StateFolder.table(folder)
        func last(_ family: AddressFamily) -> String? {
            // The table may be older than the key.
            guard let id = table?.ids[family], source.made(id), id != local else { return nil }
            return id.hex
        }
        key = file.signingKey.publicKey.text
        self.file = folder + "/" + IdentityFile.name
        created = file.created
        nodeID = local.hex
        lastNodeID = last(.v4)
        lastNodeID6 = last(.v6)
    }

    /// The identity in a state folder; changes nothing, and may be asked while a node runs there.
    ///
    /// - Throws: `ShoalError` with `.notFound` where there is no key, `.files` where it cannot be read or is not safe.
    public init(stateFolder folder: String) throws(ShoalError) {
        let file: IdentityFile?
        do throws(IdentityFault) {
            file = try IdentityFile.read(folder: folder)
        } catch {
            throw ShoalError(error, in: folder)
        }
        guard let file else {
            throw ShoalError(
                .notFound,
                "there is no key in '\(folder)' yet; shoal id new makes one, and so does a node when it starts"
            )
        }
        self.init(file, in: folder)
    }

    /// Makes a key in a state folder, and the folder where it is missing.
    ///
    /// - Parameters:
    ///   - folder: the state folder; no node may be using it.
    ///   - replacing: puts a key that is there aside, as `identity.key.<time>`, instead of failing.
    /// - Returns: the new identity, and the path of the old key where there was one.
    /// - Throws: `ShoalError` with `.files` where a key exists, a node uses the folder, or nothing can be written.
    public static func make(
        stateFolder folder: String,
        replacing: Bool
    ) throws(ShoalError) -> (identity: NodeIdentity, aside: String?) {
        do throws(StorageError) {
            try PrivateFolder.create(folder)
        } catch {
            throw ShoalError(error)
        }
        guard let lock = try StateFolder.lock(folder) else {
            throw ShoalError(.files, "another shoal goes by the key in '\(folder)' now; stop it first")
        }
        defer { withExtendedLifetime(lock) {} }
        let now = SystemClock.secondsSinceEpoch
        do throws(IdentityFault) {
            guard replacing else {
                let file = try IdentityFile.make(folder: folder, now: now)
                return (NodeIdentity(file, in: folder), nil)
            }
            let (file, aside) = try IdentityFile.replace(folder: folder, now: now)
            return (NodeIdentity(file, in: folder), aside.map { folder + "/" + $0 })
        } catch {
            throw ShoalError(error, in: folder)
        }
    }
}
