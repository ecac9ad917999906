import Primitives
import Testing

@testable import SecurePeer

@Suite("Swarm tags")
struct SwarmTagTests {
    @Test("the known answer of secure-peer.md, §3")
    func knownAnswer() throws {
        let hash = try #require(Hex.decode("0123456789abcdef0123456789abcdef01234567"))
        let infoHash = try #require(InfoHash(hash))

        #expect(Hex.encode(SwarmTag(of: infoHash).value.bytes) == "eec7a49e53e4aaf388fa6de7a3f2f99853b43bbc")
    }
}
