import Metainfo
import Primitives
import Shoal

/// Answers of the DHT as lines for a person or a script.
struct DHTAnswer<Surroundings: Console> {
    let json: Bool
    let isQuiet: Bool
    let console: Surroundings

    func pong(from address: String, id: String, roundTrip: Double) throws(ShoalError) {
        var object = JSONObject(event: "pong")
        object.add("address", address)
        object.add("node_id", id)
        object.add("round_trip_s", roundTrip, digits: 6)
        try print(json ? object.line : "\(id) at \(address) answered in \(Self.milliseconds(roundTrip))")
    }

    func contacts(_ contacts: [DHTContact], _ event: String) throws(ShoalError) {
        for contact in contacts {
            var object = JSONObject(event: event)
            object.add("node_id", contact.nodeID)
            object.add("address", contact.address)
            try print(json ? object.line : "\(contact.nodeID)  \(contact.address)")
        }
    }

    func peers(_ peers: [String]) throws(ShoalError) {
        for peer in peers {
            var object = JSONObject(event: "found")
            object.add("address", peer)
            try print(json ? object.line : peer)
        }
    }

    func scraped(_ infoHash: String, _ scrape: DHTScrape) throws(ShoalError) {
        let (seeds, peers) = (Int(scrape.seeds.rounded()), Int(scrape.peers.rounded()))
        var object = JSONObject(event: "scrape")
        object.add("info_hash", infoHash)
        object.add("seeds", seeds)
        object.add("peers", peers)
        object.add("nodes", scrape.sources)
        object.add("refused", scrape.refused)
        let nodes = HumanUnits.count(scrape.sources, "node")
        let people = "about \(HumanUnits.count(seeds, "seed")) and \(HumanUnits.count(peers, "peer"))"
        try print(json ? object.line : "\(people), as \(nodes) counted")
    }

    func stored(_ receipt: DHTReceipt) throws(ShoalError) {
        let item = receipt.item
        let name = item.key ?? item.target
        guard json else {
            try print(name)
            guard !isQuiet else { return }
            var text = "stored on \(HumanUnits.count(receipt.nodes, "node"))"
            if let sequence = item.sequence { text += ", version \(sequence)" }
            for refusal in receipt.refusals {
                text += "; \(HumanUnits.count(refusal.nodes, "node")) refused it: "
                text += "\(refusal.code) \(DisplayText.clean(refusal.text))"
            }
            let salt = ItemText.text(item.salt).flatMap { $0.isEmpty ? nil : " --salt \(ShellText.quoted($0))" } ?? ""
            text += "\nFind it with:\n  shoal dht get \(name)\(salt)\n"
            return try console.write(text, to: .standardError)
        }
        var object = JSONObject(event: "stored")
        object.add("target", item.target)
        object.addIfPresent("key", item.key)
        if !item.salt.isEmpty { object.add("salt_hex", Hex.encode(item.salt)) }
        if let sequence = item.sequence { object.add("seq", sequence) }
        object.add("nodes", receipt.nodes)
        object.add("refused", receipt.refusals.reduce(0) { $0 + $1.nodes })
        if let refusal = receipt.refusals.first {
            object.add("code", refusal.code)
            object.add("reason", refusal.text)
        }
        try print(object.line)
    }

    func item(_ item: DHTItem, isRaw: Bool) throws(ShoalError) {
        if isRaw { return try console.write(ItemText.string(in: item.value) ?? item.value, to: .standardOutput) }
        guard json else { return try print(ItemText.shown(item.value)) }
        var object = JSONObject(event: "item")
        object.add("target", item.target)
        object.addIfPresent("key", item.key)
        if !item.salt.isEmpty { object.add("salt_hex", Hex.encode(item.salt)) }
        if let sequence = item.sequence { object.add("seq", sequence) }
        object.addIfPresent("signature", item.signature)
        object.addIfPresent("value", ItemText.string(in: item.value).flatMap { ItemText.text($0) })
        object.add("value_hex", Hex.encode(item.value))
        try print(object.line)
    }

    func sample(_ sample: DHTSample) throws(ShoalError) {
        guard json else {
            let count = HumanUnits.count(sample.total, "info-hash", plural: "info-hashes")
            try print("\(sample.node.nodeID)  \(sample.node.address)  holds \(count)")
            for infoHash in sample.infoHashes { try print("  \(infoHash)") }
            return
        }
        var object = JSONObject(event: "sample")
        object.add("node_id", sample.node.nodeID)
        object.add("address", sample.node.address)
        object.add("info_hashes", sample.infoHashes)
        object.add("total", sample.total)
        object.add("interval_s", sample.interval, digits: 0)
        try print(object.line)
    }

    func table(_ table: DHTTable) throws(ShoalError) {
        if !json { try print("family  shared bits  good  questionable  bad  waiting") }
        for bucket in table.buckets {
            guard json else {
                let numbers = [
                    (bucket.sharedBits, 11), (bucket.good, 6), (bucket.questionable, 14), (bucket.bad, 5),
                    (bucket.replacements, 9),
                ]
                try print(bucket.family + "    " + numbers.map { Self.right($0.0, $0.1) }.joined())
                continue
            }
            var object = JSONObject(event: "bucket")
            object.add("family", bucket.family)
            object.add("shared_bits", bucket.sharedBits)
            object.add("good", bucket.good)
            object.add("questionable", bucket.questionable)
            object.add("bad", bucket.bad)
            object.add("replacements", bucket.replacements)
            try print(object.line)
        }
        try contacts(table.contacts, "contact")
    }

    private static func right(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: " ", count: max(0, width - text.count)) + text
    }

    static func milliseconds(_ seconds: Double) -> String {
        "\(DecimalText.fixed(seconds * 1000, digits: 1) ?? "0.0") ms"
    }

    func print(_ line: String) throws(ShoalError) { try console.write(line + "\n", to: .standardOutput) }
}
