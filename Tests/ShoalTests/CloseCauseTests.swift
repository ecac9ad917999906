import PeerWire
import Swarming
import Testing

@testable import Shoal

@Suite("Close cause")
struct CloseCauseTests {
    static let all: [CloseCause] =
        [
            .remote, .lost, .unreachable, .unknownTorrent, .badMetadata, .duplicate, .readsNothing, .crowdedOut,
            .stopping,
        ] + [BanReason.sentBadPiece, .tookPartInBadPieces].map { .banned($0) }
        + [CloseReason.bothComplete, .unaskedBlocks, .tooSlow, .badRequest, .ignoresRefusals, .tooManyPeers].map {
            .swarm($0)
        }
        + [
            WireError.notBitTorrent, .wrongInfoHash, .connectedToSelf, .handshakeTimedOut, .idle, .messageTooLong(9),
            .malformedBitfield, .metadataSize(9), .lateBitfield, .malformedExtension,
        ].map { .wire($0) }

    @Test("every cause has a word in snake case", arguments: all)
    func word(cause: CloseCause) {
        #expect(!cause.word.isEmpty)
        #expect(cause.word.allSatisfy { ("a"..."z").contains($0) || $0 == "_" })
    }

    @Test("only a lie bans", arguments: all)
    func ban(cause: CloseCause) {
        let isLie =
            switch cause {
            case .banned, .badMetadata: true
            default: false
            }
        #expect(cause.isBan == isLie)
    }
}
