import EventLoop
import HTTPClient
import Shoal

/// A `.torrent` from a web server.
actor TorrentDownload {
    private nonisolated let loop: Loop
    private let client: HTTPClient

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private init() throws(ShoalError) {
        do {
            loop = try Loop.started()
            client = try HTTPClient(loop: loop)
        } catch {
            throw ShoalError(.failed, "cannot ask web servers: \(error)")
        }
    }

    deinit { loop.stop() }

    /// The bytes at a URL, at most 10 MiB (hardening F9).
    static func bytes(at url: String) async throws(ShoalError) -> [UInt8] {
        try await TorrentDownload().bytes(at: url)
    }

    private func bytes(at url: String) async throws(ShoalError) -> [UInt8] {
        var request = HTTPClientRequest(url: url)
        request.mostReplyBytes = FetchTarget.torrentLimit
        let result = await withCheckedContinuation { continuation in
            _ = client.send(request) { continuation.resume(returning: $0) }
        }
        client.close()
        switch result {
        case .failure(let error): throw ShoalError(.network, "cannot get the .torrent: \(error)")
        case .success(let reply) where reply.status == 404:
            throw ShoalError(.notFound, "there is no such .torrent on that server (HTTP status 404)")
        case .success(let reply) where reply.status != 200:
            throw ShoalError(.network, "the server does not give the .torrent: HTTP status \(reply.status)")
        case .success(let reply): return reply.body
        }
    }
}
