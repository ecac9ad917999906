import Shoal

/// What `dht stats` prints.
extension DHTAnswer {
    func reports(_ reports: [DHTReport]) throws(ShoalError) {
        for report in reports { try json ? print(Self.object(report).line) : lines(report) }
    }

    private static func object(_ report: DHTReport) -> JSONObject {
        var object = JSONObject(event: "stats")
        object.add("family", report.family)
        object.add("node_id", report.nodeID)
        object.addIfPresent("external_address", report.externalAddress)
        object.add("serving", report.isServing)
        object.add("nodes", report.nodes)
        object.add("round_trip_s", report.roundTrip, digits: 6)
        object.add("round_trip_p90_s", report.roundTrip90, digits: 6)
        object.add("round_trip_p99_s", report.roundTrip99, digits: 6)
        object.add("network_size", report.networkSize.map { Double($0) }, digits: 0)
        object.add("elapsed_s", report.elapsed, digits: 3)
        object.add("bytes_received", report.bytesReceived)
        object.add("bytes_sent", report.bytesSent)
        object.add("in_bps", report.rate(report.bytesReceived), digits: 0)
        object.add("out_bps", report.rate(report.bytesSent), digits: 0)
        object.add("datagrams_received", report.datagramsReceived)
        object.add("datagrams_sent", report.datagramsSent)
        object.add("dropped", report.dropped)
        object.add("queries_sent", report.queriesSent)
        object.add("replies_received", report.repliesReceived)
        object.add("timeouts", report.timeouts)
        object.add("queries_answered", report.queriesAnswered)
        object.add("stored_info_hashes", report.storedInfoHashes)
        object.add("stored_peers", report.storedPeers)
        object.add("stored_items", report.storedItems)
        object.add("stored_records", report.storedRecords)
        object.add("overlay_nodes", report.overlayNodes)
        return object
    }

    private func lines(_ report: DHTReport) throws(ShoalError) {
        let size = report.networkSize.map { "about \(HumanUnits.count($0, "node"))" } ?? "not known yet"
        let rows = [
            ("node", report.nodeID),
            ("address", report.externalAddress ?? "not known yet"),
            ("table", "\(HumanUnits.count(report.nodes, "node")), \(report.overlayNodes) of shoal that proved a key"),
            ("network", size),
            ("round trip", Self.roundTrips(report)),
            ("asked", "\(report.queriesSent), \(report.repliesReceived) answered, \(report.timeouts) timed out"),
            (
                "answered",
                "\(HumanUnits.count(report.queriesAnswered, "query", plural: "queries")), \(report.dropped) dropped"
            ),
            ("in", traffic(report.bytesReceived, report.datagramsReceived, report)),
            ("out", traffic(report.bytesSent, report.datagramsSent, report)),
            (
                "stores",
                "\(HumanUnits.count(report.storedPeers, "peer")) of "
                    + HumanUnits.count(report.storedInfoHashes, "info-hash", plural: "info-hashes")
                    + ", \(HumanUnits.count(report.storedItems, "value")), "
                    + HumanUnits.count(report.storedRecords, "record")
            ),
        ]
        try print(report.family)
        for (name, value) in rows {
            try print("  \(name)\(String(repeating: " ", count: 12 - name.count))\(value)")
        }
    }

    private static func roundTrips(_ report: DHTReport) -> String {
        guard let median = report.roundTrip, let most = report.roundTrip90, let nearlyAll = report.roundTrip99 else {
            return "not known yet"
        }
        return "\(milliseconds(median)); 90 % within \(milliseconds(most)), 99 % within \(milliseconds(nearlyAll))"
    }

    private func traffic(_ bytes: Int, _ datagrams: Int, _ report: DHTReport) -> String {
        "\(HumanUnits.size(Int64(bytes))) in \(HumanUnits.count(datagrams, "datagram")), "
            + HumanUnits.rate(Int(report.rate(bytes)))
    }
}

extension DHTReport {
    /// Bytes a second, since the node began.
    fileprivate func rate(_ bytes: Int) -> Double { elapsed > 0 ? min(Double(bytes) / elapsed, 1e15) : 0 }
}
