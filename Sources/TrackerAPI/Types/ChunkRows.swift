package import JSON
import Primitives
package import TrackerProtocol

/// `GET /api/v1/chunks/SET`: who holds which chunk, those first whom most agree with.
///
///     {"chunks":[{"chunk":1,"groups":[{"sha1":"3f78...","holders":[{"address":"192.0.2.1:6000","name":"client1"}]}]}]}
package enum ChunkRows {
    package static func json(_ rows: [ChunkTable.Row]) -> JSONValue {
        ["chunks": .array(rows.map(json))]
    }

    private static func json(_ row: ChunkTable.Row) -> JSONValue {
        ["chunk": .integer(Int64(row.chunk)), "groups": .array(row.groups.map(json))]
    }

    private static func json(_ group: ChunkTable.Group) -> JSONValue {
        [
            "sha1": group.hash.map { .string($0.hex) } ?? .null,
            "holders": .array(
                group.holders.map { holder in
                    ["address": .string(holder.endpoint.description), "name": holder.name.map { .string($0) } ?? .null]
                }
            ),
        ]
    }

    /// `nil` for anything that is not such a table; the tracker is no more to be trusted than others.
    package static func rows(_ json: JSONValue) -> [ChunkTable.Row]? {
        guard let list = json["chunks"]?.array else { return nil }
        var rows: [ChunkTable.Row] = []
        for entry in list {
            guard let chunk = entry["chunk"]?.integer.flatMap(Int.init(exactly:)), let groups = entry["groups"]?.array
            else { return nil }
            rows.append(ChunkTable.Row(chunk: chunk, groups: groups.compactMap(group)))
        }
        return rows
    }

    private static func group(_ json: JSONValue) -> ChunkTable.Group? {
        guard let holders = json["holders"]?.array else { return nil }
        return ChunkTable.Group(
            hash: json["sha1"]?.string.flatMap { SHA1Digest(hex: $0) },
            holders: holders.compactMap { holder in
                guard let endpoint = holder["address"]?.string.flatMap({ Endpoint($0) }), endpoint.port > 0 else {
                    return nil
                }
                return ChunkTable.Holder(endpoint: endpoint, name: holder["name"]?.string)
            }
        )
    }
}
