package import JSON
package import Primitives
import TrackerAPI
import TrackerProtocol

/// A request to `/api/v1/chunks/SET`.
package enum ChunkQuestion: Hashable, Sendable {
    /// The body is a `ChunkReport`.
    case report([UInt8])
    case table
    case leave(name: String)

    /// The longest report that the limits of the table allow: numbers, hashes and their punctuation take 52 bytes.
    package static let mostBodyBytes = ChunkLimits().mostChunks * 52 + 1024
}

extension ChunkService {
    /// Answers one request.
    ///
    /// - Parameter sender: the address that it came from, which is the one that is registered.
    /// - Returns: the status of HTTP, and the body.
    package func answer(_ question: ChunkQuestion, set: String, from sender: IPAddress) -> (status: Int, JSONValue) {
        switch question {
        case .table: return (200, ChunkRows.json(table.rows(of: set, for: sender) ?? []))
        case .leave(let name): return (200, ["removed": .bool(table.remove(name: name, address: sender, from: set))])
        case .report(let body):
            guard let report = (try? JSONReader.read(body)).flatMap(ChunkReport.init) else {
                return ChunkService.refusal(400, "bad_report", "the body is not a report of chunks in JSON")
            }
            do throws(ChunkFault) {
                guard report.address == nil || report.address == sender else { throw .foreignAddress }
                try table.replace(
                    report.chunks.map { ($0.chunk, $0.hash) },
                    of: Endpoint(sender, report.port),
                    name: report.name,
                    in: set,
                    now: now
                )
                return (200, ["chunks": .integer(Int64(report.chunks.count))])
            } catch {
                return ChunkService.refusal(error)
            }
        }
    }

    private static func refusal(_ fault: ChunkFault) -> (status: Int, JSONValue) {
        switch fault {
        case .nameTaken: refusal(409, "name_taken", fault.message)
        case .tooManyClients, .tooManySets, .tooManyRegistrations: refusal(429, "too_many", fault.message)
        default: refusal(400, "bad_report", fault.message)
        }
    }

    private static func refusal(_ status: Int, _ word: String, _ message: String) -> (status: Int, JSONValue) {
        (status, ["error": .string(word), "message": .string(message)])
    }
}
