import Shoal
import TestSupport
import Testing

@Suite("A network that begins with its sharer")
struct LoneSharerTests {
    @Test("whoever shares first is found by the first visitor, who knows nobody else")
    func firstVisitor() async throws {
        let folder = try TemporaryFolder()
        let data = folder.pattern(300_000)
        try folder.write(data, to: "from/file.bin")
        var configuration = Configuration()
        configuration.listen = .endpoint("127.0.0.1:0")
        let sharer = Node(configuration)
        let address = try await sharer.listening()
        let torrent = try await sharer.share(ShareRequest(paths: [folder.path("from/file.bin")]))

        configuration.bootstrap = [address]
        let visitor = Node(configuration)
        _ = try await visitor.listening()
        try folder.makeFolder("to")
        var options = FetchOptions()
        options.output = folder.path("to")
        _ = try await visitor.complete(.infoHash(torrent.infoHash), options)

        #expect(try folder.read("to/file.bin") == data)
        await visitor.stop()
        await sharer.stop()
    }
}
