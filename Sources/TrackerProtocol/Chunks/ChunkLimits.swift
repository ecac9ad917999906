/// Bounds on what a tracker keeps of chunk folders, and on what it reads and writes about them.
package struct ChunkLimits: Hashable, Sendable {
    /// How long a registration lasts after the last word of its client (tracker.md).
    package var lifetime: Duration = .seconds(600)
    /// How long a message that nothing ended must rest before it counts as whole.
    ///
    /// Old clients end a message with nothing at all and wait for the answer, so only a pause says that it is over. They write
    /// it with one call, whose bytes travel together; a person would not notice so short a wait.
    package var pause: Duration = .milliseconds(50)
    /// How long a message may stay unfinished. Its bytes are fewer than a packet's, so somebody holds them back.
    package var patience: Duration = .seconds(10)
    /// The longest message is `LOCAL_CHUNKS` with a hash and an IPv6 address, 120 bytes.
    package var mostMessageBytes = 256
    /// The highest number of a chunk. A folder has a file for each of them, and a report of all of them, 400 kB, is read in a
    /// few milliseconds between announces.
    package var mostChunks = 8192
    /// How many folders one tracker can bring together.
    package var mostSets = 64
    /// Clients of all sets. A question looks at each holder of one chunk, and must stay well below a millisecond.
    package var mostClients = 4096
    /// Clients with one address, so that one host cannot take all places; the loopback is exempt, as in T7.
    package var mostClientsPerHost = 64
    /// Chunks that all clients together may have registered: at about 100 bytes each, 25 MB.
    package var mostRegistrations = 262_144
    /// Old clients read an answer with one call of 1,024 bytes; so many IPv4 holders and a hash fit into it.
    package var mostHoldersPerAnswer = 32
    /// In bytes: the same as a name in the catalogue.
    package var mostNameBytes = 255

    package init() {}
}
