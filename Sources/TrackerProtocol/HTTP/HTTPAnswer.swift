package import Primitives

/// Writes what a tracker answers over HTTP, in bencode (BEP 3, 7, 23, 24, 31, 48), keys ascending.
///
/// Straight into bytes: a writer that checks the order of keys costs more than all else in an answer, and the order is the
/// same in each.
package enum HTTPAnswer {
    /// What an answer says beside the registry's.
    package struct Additions: Sendable {
        /// How the tracker sees the asker (BEP 24).
        package var externalAddress: IPAddress
        /// What the client sends along from then on.
        package var trackerID = ""
        /// Announce URLs of other tracker nodes with the same database, for clients of our kind.
        package var nodes: [String]?

        package init(externalAddress: IPAddress) { self.externalAddress = externalAddress }
    }

    /// Appends the answer to an announce.
    ///
    /// - Parameter isCompact: BEP 23 and 7, else BEP 3's list of dictionaries.
    package static func announce(
        _ reply: AnnounceReply,
        isCompact: Bool,
        _ additions: Additions,
        to writer: inout ByteWriter
    ) {
        writer.append(atMost: 160) { room in
            room.append("d8:completei")
            room.decimal(reply.seeds)
            room.append("e10:downloadedi")
            room.decimal(reply.downloaded)
            room.append("e11:external ip")
            switch additions.externalAddress {
            case .v4(let bits):
                room.append("4:")
                room.bigEndian(bits)
            case .v6(let high, let low):
                room.append("16:")
                room.bigEndian(high)
                room.bigEndian(low)
            }
            room.append("10:incompletei")
            room.decimal(reply.leechers)
            room.append("e8:intervali")
            room.decimal(reply.interval)
            room.append("e12:min intervali")
            room.decimal(reply.minInterval)
            room.append("e")
        }
        if isCompact { compact(reply, to: &writer) } else { dictionaries(reply, to: &writer) }
        if let nodes = additions.nodes {
            writer.append("11:shoal nodesl")
            for node in nodes { string(node, to: &writer) }
            writer.append("e")
        }
        if !additions.trackerID.isEmpty {
            writer.append("10:tracker id")
            string(additions.trackerID, to: &writer)
        }
        if let warning = reply.warning {
            writer.append("15:warning message")
            string(warning, to: &writer)
        }
        writer.append("e")
    }

    private static func compact(_ reply: AnnounceReply, to writer: inout ByteWriter) {
        // Clients of IPv6 too look for `peers`; BEP 7 has its own key beside it.
        if reply.family == .v6 { writer.append("5:peers0:6:peers6") } else { writer.append("5:peers") }
        writer.decimal(reply.peers.count)
        writer.append(":")
        writer.append(reply.peers.bytes.span.bytes)
    }

    /// BEP 3: dictionaries of `ip`, `peer id` and `port`.
    private static func dictionaries(_ reply: AnnounceReply, to writer: inout ByteWriter) {
        writer.append("5:peersl")
        let length = reply.family.compactEndpointByteCount
        for index in 0..<reply.peerCount {
            guard let peer = Endpoint(compact: reply.family, reply.peers.bytes.span.bytes, at: index * length) else {
                continue
            }
            writer.append("d2:ip")
            string("\(peer.address)", to: &writer)
            if reply.peerIDs.indices.contains(index) {
                writer.append("7:peer id20:")
                reply.peerIDs[index].value.write(to: &writer)
            }
            writer.append("4:porti")
            writer.decimal(Int(peer.port))
            writer.append("ee")
        }
        writer.append("e")
    }

    /// Appends the answer to a scrape: all torrents that were asked for, zeros for those that nobody announced.
    package static func scrape(
        _ query: ScrapeQuery,
        _ family: AddressFamily,
        _ registry: borrowing Registry,
        to writer: inout ByteWriter
    ) {
        writer.append("d5:filesd")
        for infoHash in query.infoHashes {
            let scraped = registry.scrape(infoHash, family)
            writer.append("20:")
            infoHash.value.write(to: &writer)
            writer.append("d8:completei")
            writer.decimal(scraped.seeds)
            writer.append("e10:downloadedi")
            writer.decimal(scraped.downloaded)
            writer.append("e10:incompletei")
            writer.decimal(scraped.leechers)
            writer.append("ee")
        }
        // BEP 48 has no interval; this flag is older, and clients honour it.
        writer.append("e5:flagsd20:min_request_intervali")
        writer.decimal(Int(registry.limits.minInterval.components.seconds))
        writer.append("eee")
    }

    /// Appends the answer to what is not done (BEP 31 has `retry in`).
    package static func failure(_ failure: TrackerFailure, to writer: inout ByteWriter) {
        writer.append("d14:failure reason")
        string(failure.text, to: &writer)
        switch failure.retry {
        case .never: writer.append("8:retry in5:never")
        case .minutes(let minutes):
            writer.append("8:retry ini")
            writer.decimal(minutes)
            writer.append("e")
        case nil: break
        }
        writer.append("e")
    }

    private static func string(_ text: StaticString, to writer: inout ByteWriter) {
        writer.decimal(text.utf8CodeUnitCount)
        writer.append(":")
        writer.append(text)
    }

    private static func string(_ text: String, to writer: inout ByteWriter) {
        writer.decimal(text.utf8.count)
        writer.append(":")
        writer.append(utf8: text)
    }
}
