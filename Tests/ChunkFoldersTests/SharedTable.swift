import ChunkFolders
import EventLoop
import Primitives
import TrackerProtocol

/// The tracker of one test: the real table behind an actor in place of HTTP.
actor SharedTable: ChunkTracker {
    private var table = ChunkTable()
    private(set) var reports: [String: [Int]] = [:]
    private var failures: [ChunkTrackerFault] = []

    func fail(_ faults: ChunkTrackerFault...) { failures += faults }

    func report(
        _ chunks: [ChunkHolding],
        name: String,
        address: IPAddress?,
        port: UInt16,
        to set: String
    ) throws(ChunkTrackerFault) {
        guard failures.isEmpty else { throw failures.removeFirst() }
        reports[name] = chunks.map(\.chunk)
        do throws(ChunkFault) {
            let chunks = chunks.map { ($0.chunk, SHA1Digest?.some($0.hash)) }
            try table.replace(chunks, of: Endpoint(.loopbackV4, port), name: name, in: set, now: .zero)
        } catch {
            throw ChunkTrackerFault(error.message, isFinal: true)
        }
    }

    func rows(of set: String) throws(ChunkTrackerFault) -> [ChunkTable.Row] {
        table.rows(of: set, for: .loopbackV4) ?? []
    }

    func leave(name: String, from set: String) throws(ChunkTrackerFault) {
        reports[name] = nil
        table.remove(name: name, address: .loopbackV4, from: set)
    }

    /// An old client registers, in the set of the text protocol.
    func register(_ chunk: Int, hash: SHA1Digest?, at port: UInt16) throws {
        try table.register(chunk, hash: hash, at: Endpoint(.loopbackV4, port), now: .zero)
    }
}
