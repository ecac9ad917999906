package import JSON
package import Primitives

/// A peer that announces, as `/api/v1/peers` tells of it.
package struct AnnouncedPeer: Hashable, Sendable {
    package var endpoint: Endpoint
    /// Its program, as far as its identifier tells.
    package var client: String
    package var isSeeder: Bool
    package var infoHash: InfoHash
    /// Under which name the catalogue has what it shares or fetches; `nil` for what nobody registered.
    package var file: String?
    /// Since its last announce.
    package var silentSeconds: Int64

    package init(
        endpoint: Endpoint,
        client: String,
        isSeeder: Bool,
        infoHash: InfoHash,
        file: String?,
        silentSeconds: Int64
    ) {
        self.endpoint = endpoint
        self.client = client
        self.isSeeder = isSeeder
        self.infoHash = infoHash
        self.file = file
        self.silentSeconds = silentSeconds
    }

    package init?(_ json: JSONValue) {
        guard let endpoint = json["address"]?.string.flatMap({ Endpoint($0) }),
            let infoHash = json["info_hash"]?.string.flatMap({ InfoHash(hex: $0) })
        else { return nil }
        self.init(
            endpoint: endpoint,
            client: json["client"]?.string ?? "",
            isSeeder: json["kind"]?.string == "seeder",
            infoHash: infoHash,
            file: json["file"]?.string,
            silentSeconds: json["silent_s"]?.integer ?? 0
        )
    }

    package var json: JSONMembers {
        [
            "address": .string("\(endpoint)"), "client": .string(client), "kind": isSeeder ? "seeder" : "leecher",
            "info_hash": .string(infoHash.hex), "file": file.map { .string($0) } ?? .null,
            "silent_s": .integer(silentSeconds),
        ]
    }
}
