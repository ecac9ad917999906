/// Hands out the metadata of one torrent (BEP 9), to each peer only so often.
package struct MetadataServer: Sendable {
    package typealias Peer = UInt32

    /// How often one peer may have the whole metadata in one connection: once, and again for what was lost or came out wrong.
    package static let rounds = 3
    /// Peers remembered at once; more than a torrent has connections.
    package static let peerLimit = 1024

    /// The bencoded `info` dictionary.
    package let metadata: [UInt8]
    private var served: [Peer: Int] = [:]

    package init(metadata: [UInt8]) { self.metadata = metadata }

    /// Answers a request with the piece or a reject.
    package mutating func answer(requestFor piece: Int, from peer: Peer) -> MetadataMessage {
        let used = served[peer] ?? 0
        guard let range = MetadataMessage.range(ofPiece: piece, size: metadata.count),
            used < MetadataServer.rounds * MetadataMessage.pieceCount(ofSize: metadata.count),
            used > 0 || served.count < MetadataServer.peerLimit
        else { return .reject(piece: piece) }
        served[peer] = used + 1
        return .data(piece: piece, totalSize: metadata.count, bytes: Array(metadata[range]))
    }

    /// Forgets what the peer had.
    package mutating func disconnected(_ peer: Peer) { served[peer] = nil }
}
