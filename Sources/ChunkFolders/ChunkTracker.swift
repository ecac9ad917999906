package import Primitives
package import TrackerProtocol

/// The tracker, as a client of chunk folders sees it: `/api/v1/chunks/SET`.
package protocol ChunkTracker: Sendable {
    /// Says all that this client holds, in place of what it said before.
    ///
    /// - Parameter address: what the tracker has to see it come from; `nil` for whatever it does.
    func report(
        _ chunks: [ChunkHolding],
        name: String,
        address: IPAddress?,
        port: UInt16,
        to set: String
    ) async throws(ChunkTrackerFault)
    /// Who holds what.
    func rows(of set: String) async throws(ChunkTrackerFault) -> [ChunkTable.Row]
    /// This client is gone.
    func leave(name: String, from set: String) async throws(ChunkTrackerFault)
}

/// One chunk that a client holds.
package struct ChunkHolding: Hashable, Sendable {
    package var chunk: Int
    package var hash: SHA1Digest

    package init(chunk: Int, hash: SHA1Digest) {
        self.chunk = chunk
        self.hash = hash
    }
}

/// Why the tracker did not do what it was asked.
package struct ChunkTrackerFault: Error, Hashable, Sendable {
    /// A sentence for a person.
    package var message: String
    /// Whether it would be the same the next time: the name is taken, the passkey is unknown.
    package var isFinal: Bool

    package init(_ message: String, isFinal: Bool) {
        self.message = message
        self.isFinal = isFinal
    }
}
