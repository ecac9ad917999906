import ChunkFolders
import Metainfo
import Primitives

/// What the commands of chunk folders tell, for a person and for a script.
enum ChunkLines {
    case event(ChunkPeer.Event, folder: String, tracker: String)
    case made(path: String, chunks: Int)
    case joined(path: String, byteCount: Int64)

    /// - Parameter isVerbose: also what is served to whom.
    func text(isVerbose: Bool) -> String? {
        switch self {
        case .made(let path, let chunks):
            "made \(chunks) \(chunks == 1 ? "chunk" : "chunks") in '\(DisplayText.clean(path))'"
        case .joined(let path, let byteCount):
            "joined \(HumanUnits.size(byteCount)) into '\(DisplayText.clean(path))'"
        case .event(let event, let folder, let tracker):
            ChunkLines.text(event, folder: DisplayText.clean(folder), tracker: tracker, isVerbose: isVerbose)
        }
    }

    private static func text(_ event: ChunkPeer.Event, folder: String, tracker: String, isVerbose: Bool) -> String? {
        switch event {
        case .listening(let endpoints):
            "serving '\(folder)' at \(endpoints.map(\.description).joined(separator: ", "))"
        case .holding(let count, let total):
            count == total
                ? "all \(total) chunks are here"
                : "\(count) of \(total) chunks are here; asking \(tracker) who holds the others"
        case .fetched(let chunk, let holder, let count, let total):
            "chunk \(chunk) from \(holder) (\(count) of \(total))"
        case .refused(let chunk, let holder, let reason): "no chunk \(chunk) from \(holder): \(reason)"
        case .served(let chunk, let client): isVerbose ? "chunk \(chunk) asked for by \(client)" : nil
        case .complete(let count): "complete: \(count) of \(count) chunks; serving them until Ctrl-C"
        case .notice(let message): DisplayText.clean(message)
        case .failed, .interrupted: nil
        }
    }

    /// One JSON object.
    var json: String? {
        switch self {
        case .made(let path, let chunks):
            var object = JSONObject(event: "made")
            object.add("path", path)
            object.add("chunks", chunks)
            return object.line
        case .joined(let path, let byteCount):
            var object = JSONObject(event: "done")
            object.add("path", path)
            object.add("size", byteCount)
            return object.line
        case .event(let event, _, _): return ChunkLines.json(event)
        }
    }

    private static func json(_ event: ChunkPeer.Event) -> String? {
        switch event {
        case .listening(let endpoints):
            var object = JSONObject(event: "listening")
            object.add("address", endpoints.first?.description ?? "")
            return object.line
        case .holding(let count, let total): return json("chunks", nil, nil, count, total)
        case .fetched(let chunk, let holder, let count, let total):
            return json("chunk", chunk, holder.description, count, total)
        case .refused(let chunk, let holder, let reason):
            var object = JSONObject(event: "refused")
            object.add("chunk", chunk)
            object.add("address", holder.description)
            object.add("reason", reason)
            return object.line
        case .served(let chunk, let client): return json("served", chunk, client.description, nil, nil)
        case .complete(let count): return json("complete", nil, nil, count, count)
        case .notice(let message):
            var object = JSONObject(event: "notice")
            object.add("message", message)
            return object.line
        case .failed, .interrupted: return nil
        }
    }

    private static func json(_ word: String, _ chunk: Int?, _ address: String?, _ count: Int?, _ total: Int?) -> String
    {
        var object = JSONObject(event: word)
        if let chunk { object.add("chunk", chunk) }
        if let address { object.add("address", address) }
        if let count { object.add("have", count) }
        if let total { object.add("of", total) }
        return object.line
    }
}
