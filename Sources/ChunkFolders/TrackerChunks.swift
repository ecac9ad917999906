import HTTPClient
import JSON
import Metainfo
package import Primitives
package import TrackerAPI
package import TrackerProtocol

/// The chunks of a tracker node over `/api/v1/chunks/SET`.
package struct TrackerChunks: ChunkTracker {
    private let client: TrackerClient

    package init(_ client: TrackerClient) { self.client = client }

    package func report(
        _ chunks: [ChunkHolding],
        name: String,
        address: IPAddress?,
        port: UInt16,
        to set: String
    ) async throws(ChunkTrackerFault) {
        let report = ChunkReport(
            name: name,
            port: port,
            address: address,
            chunks: chunks.map { ChunkReport.Holding(chunk: $0.chunk, hash: $0.hash) }
        )
        _ = try await ask(PercentEncoding.encode(set), .put, body: JSONWriter.bytes(report.json))
    }

    package func rows(of set: String) async throws(ChunkTrackerFault) -> [ChunkTable.Row] {
        guard let rows = ChunkRows.rows(try await ask(PercentEncoding.encode(set))) else {
            throw ChunkTrackerFault("\(client.place) answers with no table of chunks", isFinal: false)
        }
        return rows
    }

    package func leave(name: String, from set: String) async throws(ChunkTrackerFault) {
        _ = try await ask("\(PercentEncoding.encode(set))?name=\(PercentEncoding.encode(name))", .delete)
    }

    private func ask(
        _ call: String,
        _ method: HTTPClientRequest.Method = .get,
        body: [UInt8] = []
    ) async throws(ChunkTrackerFault) -> JSONValue {
        do throws(TrackerClientError) {
            return try await client.ask("chunks/\(call)", method, body: body)
        } catch {
            let isFinal =
                switch error.kind {
                // Too many clients, or too many calls: that passes. So does a tracker that is away.
                case .network: false
                case .refused: !error.sentence.contains("try again")
                default: true
                }
            throw ChunkTrackerFault(error.sentence, isFinal: isFinal)
        }
    }
}
