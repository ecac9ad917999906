import Primitives
import Testing
import TrackerProtocol

@Suite("The table of chunks")
struct ChunkTableTests {
    static let hash = SHA1Digest(hex: ChunkLineTests.hash)
    static let other = SHA1Digest(hex: String(repeating: "ee", count: 20))

    private func client(_ host: UInt32, _ port: UInt16 = 6000) -> Endpoint { Endpoint(.v4(0x0a00_0000 + host), port) }

    private func numbered(_ chunks: Int...) -> [(chunk: Int, hash: SHA1Digest?)] { chunks.map { ($0, Self.hash) } }

    @Test("clients of both protocols are in one set, each chunk with its holders in the order they came")
    func together() throws {
        var table = ChunkTable()
        try table.register(1, hash: Self.hash, at: client(1), now: .zero)
        try table.replace(numbered(1, 2), of: client(2), name: "client2", in: "default", now: .zero)
        let rows = table.rows(of: "default", for: .loopbackV4) ?? []
        #expect(rows.map(\.chunk) == [1, 2])
        #expect(rows.first?.groups.map { $0.holders.map(\.endpoint) } == [[client(1), client(2)]])
        #expect(rows.first?.groups.first?.holders.map(\.name) == [nil, "client2"])
        let another = table.rows(of: "another", for: .loopbackV4)
        #expect(another == nil)
    }

    @Test("of two hashes that of the more hosts comes first, then the earlier; a checkable one before none")
    func belief() throws {
        var table = ChunkTable()
        func hashes() -> [SHA1Digest?] { table.groups(of: 1, for: .loopbackV4).map(\.hash) }
        try table.register(1, hash: nil, at: client(9), now: .zero)
        try table.register(1, hash: Self.other, at: client(1, 6000), now: .zero)
        try table.register(1, hash: Self.hash, at: client(2), now: .zero)
        #expect(hashes() == [Self.other, Self.hash, nil])
        // Many ports of one host are one voice.
        try table.register(1, hash: Self.other, at: client(1, 6001), now: .zero)
        try table.register(1, hash: Self.hash, at: client(3), now: .zero)
        #expect(hashes() == [Self.hash, Self.other, nil])
    }

    @Test("a client's new words replace its old ones, at another port too; its name is its own")
    func replacing() throws {
        var table = ChunkTable()
        try table.replace(numbered(1, 2), of: client(1), name: "a", in: "s", now: .zero)
        try table.replace(numbered(2, 3), of: client(1, 7000), name: "a", in: "s", now: .zero)
        #expect(table.rows(of: "s", for: .loopbackV4)?.map(\.chunk) == [2, 3])
        #expect(table.clientCount == 1)
        var fault: ChunkFault?
        do throws(ChunkFault) {
            try table.replace([], of: client(2), name: "a", in: "s", now: .zero)
        } catch {
            fault = error
        }
        #expect(fault == .nameTaken)
        let isRemovedByOther = table.remove(name: "a", address: client(2).address, from: "s")
        let isRemoved = table.remove(name: "a", address: client(1).address, from: "s")
        #expect(isRemoved && !isRemovedByOther)
        #expect(table.sets == [])
        #expect(table.registrationCount == 0)
    }

    @Test("each limit holds, and says which it is")
    func limits() throws {
        var limits = ChunkLimits()
        limits.mostClients = 3
        limits.mostClientsPerHost = 2
        limits.mostSets = 2
        limits.mostRegistrations = 4
        limits.mostChunks = 9
        var table = ChunkTable(limits: limits)
        func fault(_ chunk: Int, _ client: Endpoint, _ set: String = "a") -> ChunkFault? {
            do throws(ChunkFault) {
                try table.register(chunk, hash: nil, at: client, in: set, now: .zero)
                return nil
            } catch {
                return error
            }
        }
        #expect(fault(0, client(1)) == .chunkNumber(most: 9))
        #expect(fault(10, client(1)) == .chunkNumber(most: 9))
        #expect(fault(1, client(1)) == nil)
        #expect(fault(1, client(1, 6001)) == nil)
        #expect(fault(1, client(1, 6002)) == .tooManyClients)
        #expect(fault(1, client(2), "b") == nil)
        #expect(fault(1, client(3)) == .tooManyClients)
        #expect(fault(2, client(2), "b") == nil)
        #expect(fault(3, client(2), "b") == .tooManyRegistrations)
        // The same once more is not one more.
        #expect(fault(2, client(2), "b") == nil)
        #expect(fault(1, client(2), "c") == .tooManySets)
        table.expire(at: .zero + .seconds(600))
        #expect(table.clientCount == 0)
        #expect(fault(1, client(2), "a/b") == .name)
    }
}
