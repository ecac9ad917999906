package import Primitives

/// Who holds which chunk of which set: what a tracker knows of chunk folders.
///
/// Clients of the text protocol and those of `/api/v1/chunks` see the same table. A client is the endpoint that it serves
/// at; its address is always the one it came from, so nobody can send others to a host of their choice.
package struct ChunkTable: ~Copyable {
    /// The set that `--chunks` serves; the text protocol has no word for another.
    package static let usualSet = "default"

    /// Those who hold one chunk and say that it has the same hash.
    package struct Group: Hashable, Sendable {
        /// `nil` for those who name none.
        package var hash: SHA1Digest?
        /// In the order in which they came.
        package var holders: [Holder]

        package init(hash: SHA1Digest?, holders: [Holder]) {
            self.hash = hash
            self.holders = holders
        }
    }

    package struct Holder: Hashable, Sendable {
        package var endpoint: Endpoint
        /// Clients of shoal have one; it also says that they read line feeds.
        package var name: String?

        package init(endpoint: Endpoint, name: String?) {
            self.endpoint = endpoint
            self.name = name
        }
    }

    package struct Row: Hashable, Sendable {
        package var chunk: Int
        /// Those whom most agree with first.
        package var groups: [Group]

        package init(chunk: Int, groups: [Group]) {
            self.chunk = chunk
            self.groups = groups
        }
    }

    private struct Client {
        var name: String?
        var lastWord: Instant
        /// The hash, or `nil` for a chunk of unknown hash.
        var chunks: [Int: SHA1Digest?] = [:]
    }

    private struct Folder {
        var clients: [Endpoint: Client] = [:]
        /// In the order in which they came.
        var holders: [Int: [Endpoint]] = [:]
    }

    private let limits: ChunkLimits
    private var folders: [String: Folder] = [:]
    /// Clients of all sets, by the address that counts as one host.
    private var clientsPerHost: [IPAddress: Int] = [:]
    package private(set) var clientCount = 0
    package private(set) var registrationCount = 0

    package init(limits: ChunkLimits = ChunkLimits()) { self.limits = limits }

    // MARK: What clients say

    /// A client holds one chunk more; the hash that it says last counts.
    package mutating func register(
        _ chunk: Int,
        hash: SHA1Digest?,
        at client: Endpoint,
        in set: String = ChunkTable.usualSet,
        now: Instant
    ) throws(ChunkFault) {
        try check(chunk)
        try admit(client, to: set)
        folders[set]?.clients[client]?.lastWord = now
        try add(chunk, hash: hash, to: client, in: set)
    }

    /// A client of shoal says all that it holds, which replaces what it said before; with the same name it may come back at
    /// another port of its address.
    ///
    /// - Parameter name: what it is known by in the set.
    package mutating func replace(
        _ chunks: [(chunk: Int, hash: SHA1Digest?)],
        of client: Endpoint,
        name: String,
        in set: String,
        now: Instant
    ) throws(ChunkFault) {
        guard isName(name) else { throw .name }
        for entry in chunks { try check(entry.chunk) }
        if let old = endpoint(of: name, in: set), old != client {
            guard old.address.host == client.address.host else { throw .nameTaken }
            remove(old, from: set)
        }
        try admit(client, to: set)
        forgetChunks(of: client, in: set)
        folders[set]?.clients[client]?.lastWord = now
        folders[set]?.clients[client]?.name = name
        for entry in chunks { try add(entry.chunk, hash: entry.hash, to: client, in: set) }
    }

    /// A client that is registered said anything at all.
    package mutating func heard(from client: Endpoint, in set: String = ChunkTable.usualSet, now: Instant) {
        folders[set]?.clients[client]?.lastWord = now
    }

    /// A client leaves.
    ///
    /// - Parameter address: where it says so from; nobody else can remove it.
    /// - Returns: whether there was one.
    @discardableResult
    package mutating func remove(name: String, address: IPAddress, from set: String) -> Bool {
        guard let client = endpoint(of: name, in: set), client.address.host == address.host else { return false }
        remove(client, from: set)
        return true
    }

    /// Forgets those who were silent for too long; called every few seconds.
    package mutating func expire(at now: Instant) {
        for (set, folder) in folders {
            for (client, state) in folder.clients where state.lastWord + limits.lifetime <= now {
                remove(client, from: set)
            }
        }
    }

    // MARK: What they ask

    /// The holders of a chunk, those first whom most hosts agree with, then those who came first.
    ///
    /// Nobody can tell which of two hashes is the right one; the many are harder to be than one.
    ///
    /// - Parameter asker: hears of holders that it can reach, as peers of swarms do (T13).
    package func groups(of chunk: Int, in set: String = ChunkTable.usualSet, for asker: IPAddress) -> [Group] {
        guard let folder = folders[set] else { return [] }
        var groups: [Group] = []
        var places: [SHA1Digest?: Int] = [:]
        for client in folder.holders[chunk] ?? [] {
            guard let state = folder.clients[client], let hash = state.chunks[chunk],
                ChunkTable.canReach(client.address, from: asker)
            else { continue }
            let holder = Holder(endpoint: client, name: state.name)
            if let place = places[hash] {
                groups[place].holders.append(holder)
            } else {
                places[hash] = groups.count
                groups.append(Group(hash: hash, holders: [holder]))
            }
        }
        guard groups.count > 1 else { return groups }
        // A hash can be checked, so those who name one come before those who do not.
        let weights = groups.map { group in
            (isChecked: group.hash != nil, hosts: Set(group.holders.map(\.endpoint.address.host)).count)
        }
        return groups.indices.sorted { left, right in
            let (first, second) = (weights[left], weights[right])
            if first.isChecked != second.isChecked { return first.isChecked }
            return first.hosts == second.hosts ? left < right : first.hosts > second.hosts
        }.map { groups[$0] }
    }

    /// All chunks of a set that somebody holds, in order; `nil` for a set that nobody is in.
    package func rows(of set: String, for asker: IPAddress) -> [Row]? {
        folders[set]?.holders.keys.sorted().map { Row(chunk: $0, groups: groups(of: $0, in: set, for: asker)) }
    }

    package var sets: [String] { folders.keys.sorted() }

    /// Addresses of this machine lead others to themselves, and those of private networks to somebody else's.
    private static func canReach(_ holder: IPAddress, from asker: IPAddress) -> Bool {
        asker.isLoopback || !holder.isLoopback && (asker.isPrivate || !holder.isPrivate)
    }

    // MARK: Places

    private func check(_ chunk: Int) throws(ChunkFault) {
        guard (1...limits.mostChunks).contains(chunk) else { throw .chunkNumber(most: limits.mostChunks) }
    }

    private func isName(_ name: String) -> Bool {
        (1...limits.mostNameBytes).contains(name.utf8.count)
            && !name.utf8.contains { $0 < 0x20 || $0 == 0x7f || $0 == UInt8(ascii: "/") }
    }

    private func endpoint(of name: String, in set: String) -> Endpoint? {
        folders[set]?.clients.first { $0.value.name == name }?.key
    }

    /// Gives a client a place that has none.
    private mutating func admit(_ client: Endpoint, to set: String) throws(ChunkFault) {
        guard folders[set]?.clients[client] == nil else { return }
        if folders[set] == nil {
            guard isName(set) else { throw .name }
            guard folders.count < limits.mostSets else { throw .tooManySets }
        }
        let host = client.address.host
        let isCrowded = !host.isLoopback && clientsPerHost[host, default: 0] >= limits.mostClientsPerHost
        guard clientCount < limits.mostClients, !isCrowded else { throw .tooManyClients }
        clientsPerHost[host, default: 0] += 1
        clientCount += 1
        folders[set, default: Folder()].clients[client] = Client(lastWord: .zero)
    }

    private mutating func add(_ chunk: Int, hash: SHA1Digest?, to client: Endpoint, in set: String) throws(ChunkFault) {
        let isNew = folders[set]?.clients[client]?.chunks.index(forKey: chunk) == nil
        if isNew {
            guard registrationCount < limits.mostRegistrations else { throw .tooManyRegistrations }
            registrationCount += 1
            folders[set]?.holders[chunk, default: []].append(client)
        }
        folders[set]?.clients[client]?.chunks.updateValue(hash, forKey: chunk)
    }

    private mutating func forgetChunks(of client: Endpoint, in set: String) {
        for chunk in folders[set]?.clients[client]?.chunks.keys ?? [:].keys {
            registrationCount -= 1
            folders[set]?.holders[chunk]?.removeAll { $0 == client }
            if folders[set]?.holders[chunk]?.isEmpty == true { folders[set]?.holders[chunk] = nil }
        }
        folders[set]?.clients[client]?.chunks.removeAll()
    }

    private mutating func remove(_ client: Endpoint, from set: String) {
        guard folders[set]?.clients[client] != nil else { return }
        forgetChunks(of: client, in: set)
        folders[set]?.clients[client] = nil
        if folders[set]?.clients.isEmpty == true { folders[set] = nil }
        clientCount -= 1
        let host = client.address.host
        let left = clientsPerHost[host, default: 1] - 1
        clientsPerHost[host] = left == 0 ? nil : left
    }
}
