import Shoal

extension JSONLines {
    static func line(for tracker: TrackerStatus) -> String {
        var object = JSONObject(event: "tracker")
        object.add("info_hash", tracker.infoHash)
        object.add("tracker", tracker.tracker)
        object.add("state", tracker.state.rawValue)
        if let seeders = tracker.seeders { object.add("seeders", seeders) }
        if let leechers = tracker.leechers { object.add("leechers", leechers) }
        if let peers = tracker.peers { object.add("peers", peers) }
        if let seconds = tracker.nextIn { object.add("next_s", Int(seconds.rounded())) }
        object.addIfPresent("external_ip", tracker.externalAddress)
        if let message = tracker.message { object.add("message", message) }
        return object.line
    }

    static func line(for status: PortMappingStatus) -> String {
        var object = JSONObject(event: "port_mapping")
        object.add("state", status.state.rawValue)
        object.addIfPresent("method", status.method)
        object.addIfPresent("address", status.address)
        if let port = status.tcpPort { object.add("tcp", Int(port)) }
        if let port = status.udpPort { object.add("udp", Int(port)) }
        object.addIfPresent("message", status.message)
        return object.line
    }
}
