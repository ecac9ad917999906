package import JSON
package import Primitives

/// `PUT /api/v1/chunks/SET`: what a client of chunk folders holds, in place of what it said before.
///
///     {"name":"client1","port":6000,"chunks":[[1,"3f78..."],[3,null]]}
package struct ChunkReport: Hashable, Sendable {
    package struct Holding: Hashable, Sendable {
        package var chunk: Int
        /// SHA-1; `nil` where the client does not say.
        package var hash: SHA1Digest?

        package init(chunk: Int, hash: SHA1Digest?) {
            self.chunk = chunk
            self.hash = hash
        }
    }

    package var name: String
    /// Where it serves, at the address that it reports from.
    package var port: UInt16
    /// What it takes that address to be (`ip`); another one is refused. `nil` where it leaves that to the tracker.
    package var address: IPAddress?
    package var chunks: [Holding]

    package init(name: String, port: UInt16, address: IPAddress? = nil, chunks: [Holding]) {
        self.name = name
        self.port = port
        self.address = address
        self.chunks = chunks
    }

    /// `nil` for anything that is not such a report.
    package init?(_ json: JSONValue) {
        guard let name = json["name"]?.string, let port = json["port"]?.integer.flatMap(UInt16.init(exactly:)),
            port > 0,
            let rows = json["chunks"]?.array
        else { return nil }
        let ip = json["ip"]?.string
        let address = ip.flatMap { IPAddress($0) }
        guard address != nil || ip == nil else { return nil }
        var chunks: [Holding] = []
        chunks.reserveCapacity(rows.count)
        for row in rows {
            guard let fields = row.array, fields.count == 2, let chunk = fields[0].integer.flatMap(Int.init(exactly:))
            else { return nil }
            let hash = fields[1].string.flatMap { SHA1Digest(hex: $0) }
            guard hash != nil || fields[1] == .null else { return nil }
            chunks.append(Holding(chunk: chunk, hash: hash))
        }
        self.init(name: name, port: port, address: address, chunks: chunks)
    }

    package var json: JSONValue {
        var members: JSONMembers = [
            "name": .string(name), "port": .integer(Int64(port)),
            "chunks": .array(chunks.map { [.integer(Int64($0.chunk)), $0.hash.map { .string($0.hex) } ?? .null] }),
        ]
        if let address { members.append("ip", .string("\(address)")) }
        return .object(members)
    }
}
