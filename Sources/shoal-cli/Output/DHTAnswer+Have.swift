import Metainfo
import Primitives
import Shoal

/// Who holds what: by their signed records, and by what they answer.
extension DHTAnswer {
    func finding(_ finding: DHTFinding, of infoHash: String) throws(ShoalError) {
        switch finding {
        case .record(let record): try print(json ? object(for: record, infoHash).line : Self.line(for: record))
        case .holder(let holder): try print(json ? object(for: holder, infoHash).line : Self.line(for: holder))
        }
    }

    // MARK: Records

    private func object(for record: DHTRecord, _ infoHash: String) -> JSONObject {
        var object = JSONObject(event: "have")
        object.add("info_hash", infoHash)
        object.addIfPresent("address", record.address)
        object.add("address_proved", record.isAddressProved)
        object.add("key", record.key)
        if let pieces = record.pieces { object.add("pieces", pieces) }
        if let total = record.total { object.add("total", total) }
        object.add("seed", record.isSeed)
        object.add("age_s", record.age, digits: 1)
        object.add("expires_s", record.timeLeft, digits: 1)
        object.add("verified", record.fault == nil)
        object.addIfPresent("reason", record.fault)
        object.add("source", "record")
        return object
    }

    /// Who, what, how old, and whether to believe it.
    private static func line(for record: DHTRecord) -> String {
        let address = record.address ?? "somewhere"
        var text = padded(address) + record.key + ": "
        text += pieces(record.pieces, of: record.total, isSeed: record.isSeed) ?? "pieces unknown"
        if let age = record.age { text += ", \(HumanUnits.elapsed(seconds: max(0, age))) old" }
        if let fault = record.fault {
            return text + "; NOT verified: \(fault.split(separator: "_").joined(separator: " "))"
        }
        return text + "; verified" + (record.isAddressProved ? "" : ", but the address did not prove the key")
    }

    // MARK: Peers

    private func object(for holder: DHTHolder, _ infoHash: String) -> JSONObject {
        var object = JSONObject(event: "have")
        object.add("info_hash", infoHash)
        object.add("address", holder.address)
        object.add("state", holder.state.rawValue)
        object.addIfPresent("client", holder.client)
        if let pieces = holder.pieces { object.add("pieces", pieces) }
        if let total = holder.total { object.add("total", total) }
        object.add("seed", holder.isSeed)
        object.add("verified", false)
        object.add("source", "peer")
        return object
    }

    private static func line(for holder: DHTHolder) -> String {
        let address = padded(holder.address)
        guard holder.state == .answered else { return address + holder.state.rawValue }
        let client = DisplayText.clean(holder.client ?? "unknown")
        guard let pieces = pieces(holder.pieces, of: holder.total, isSeed: holder.isSeed) else {
            return "\(address)\(client): pieces unknown, for nobody gave the metadata"
        }
        return "\(address)\(client): \(pieces)"
    }

    // MARK: Words

    private static func padded(_ address: String) -> String {
        address + String(repeating: " ", count: max(1, 22 - address.count))
    }

    private static func pieces(_ pieces: Int?, of total: Int?, isSeed: Bool) -> String? {
        guard let pieces, let total else { return nil }
        let share = isSeed ? "all" : total > 0 ? "\(pieces * 100 / total) %" : "nothing"
        return "\(pieces) of \(HumanUnits.count(total, "piece")), \(share)"
    }
}
