/// Why a word about chunks is not taken.
package enum ChunkFault: Error, Hashable, Sendable {
    /// Not a message of the protocol, or longer than any.
    case unreadable
    /// A message that was begun and not ended.
    case unfinished
    /// A tracker holds no chunks to be asked for.
    case notHeldHere
    /// The number of a chunk is below 1 or above the limit.
    case chunkNumber(most: Int)
    /// Nobody may register for an address that is not their own: the others would go there.
    case foreignAddress
    case name
    /// A client elsewhere goes by that name.
    case nameTaken
    case tooManyClients
    case tooManySets
    case tooManyRegistrations

    package var message: String {
        switch self {
        case .unreadable: "this is not a message of the chunk protocol"
        case .unfinished: "the message was begun and not ended"
        case .notHeldHere: "a tracker holds no chunks; ask for its holders with WHERE_CHUNK"
        case .chunkNumber(let most): "chunks have the numbers from 1 to \(most)"
        case .foreignAddress: "the address is not the one you come from; register your own, or localhost"
        case .name: "a name has 1 to 255 bytes of text without control characters and slashes"
        case .nameTaken: "a client at another address goes by that name; choose another --name"
        case .tooManyClients: "too many clients are registered; try again later"
        case .tooManySets: "too many sets of chunks are registered; use one that is there"
        case .tooManyRegistrations: "too many chunks are registered; use larger chunks, or try again later"
        }
    }
}
