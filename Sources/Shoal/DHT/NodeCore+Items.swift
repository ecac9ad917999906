import Cryptography
import Glibc
import Kademlia
import Primitives

/// Values in the DHT (BEP 44), for somebody who waits.
extension NodeCore {
    func item(
        _ name: String,
        salt: [UInt8],
        newerThan sequence: Int64?,
        timeout: Double
    ) async throws(ShoalError) -> DHTItem? {
        let target = try NodeCore.target(name, salt: salt)
        let search = try await find(target, salt: salt, newerThan: sequence, timeout: timeout)
        if let item = search.item { return DHTItem(item) }
        if search.answers == 0 { throw NodeCore.nothing(search, "") }
        return nil
    }

    func put(_ value: [UInt8], timeout: Double) async throws(ShoalError) -> DHTReceipt {
        let item: Item
        do throws(ItemError) { item = try Item(immutable: value) } catch { throw ShoalError(error) }
        return try await store(item, replacing: nil, isKept: false, timeout: timeout)
    }

    func put(_ value: [UInt8], as version: DHTVersion, timeout: Double) async throws(ShoalError) -> DHTReceipt {
        let item = try await next(value, of: version, timeout: timeout)
        return try await store(item, replacing: version.replacing, isKept: version.isKept, timeout: timeout)
    }

    /// The version to store: where the value is what is published already, that version again, so that nobody fetches
    /// anew what has not changed.
    private func next(
        _ value: [UInt8],
        of version: DHTVersion,
        timeout: Double
    ) async throws(ShoalError) -> Item {
        let key = version.key.key
        var sequence = version.sequence
        if sequence == nil || version.replacing != nil {
            let target = Item.target(of: key.publicKey, salt: version.salt)
            let search = try await find(target, salt: version.salt, newerThan: nil, timeout: timeout)
            if search.answers == 0 { throw NodeCore.nothing(search, "") }
            // Nodes that have no version cannot compare, and would store what all others refuse.
            if let replacing = version.replacing, let found = search.item?.seal?.sequence, found != replacing {
                throw ShoalError(.network, "the published version is \(found), not \(replacing) (301)")
            }
            if sequence == nil, let item = search.item, item.value == value { return item }
            if sequence == nil { sequence = try NodeCore.version(after: search.item?.seal?.sequence ?? 0) }
        }
        do throws(ItemError) {
            return try Item(signing: value, salt: version.salt, sequence: sequence ?? 0, with: key)
        } catch {
            throw ShoalError(error)
        }
    }

    /// The network forgets in two hours, readers do not: the time is always more than what they saw.
    private static func version(after published: Int64) throws(ShoalError) -> Int64 {
        guard published < .max else {
            throw ShoalError(.network, "the published version has the last number there is; use another salt")
        }
        return max(published + 1, Int64(time(nil)))
    }

    private func find(
        _ target: NodeID,
        salt: [UInt8],
        newerThan sequence: Int64?,
        timeout: Double
    ) async throws(ShoalError) -> DHTSearch {
        let dht = try driver()
        let search = DHTSearch(self, timeout: timeout)
        _ = await search.run { dht.findItem(target, salt: salt, newerThan: sequence, $0) }
        try throwIfStopping()
        return search
    }

    private func store(
        _ item: Item,
        replacing: Int64?,
        isKept: Bool,
        timeout: Double
    ) async throws(ShoalError) -> DHTReceipt {
        let dht = try driver()
        let search = DHTSearch(self, timeout: timeout)
        let summary = await search.run { dht.store(item, replacing: replacing, isKept: isKept, $0) }
        try throwIfStopping()
        let refusals = summary?.refusals.map { DHTReceipt.Refusal($0) } ?? []
        let receipt = DHTReceipt(item: DHTItem(item), nodes: summary?.storedOn ?? 0, refusals: refusals)
        if let newer = search.item?.seal?.sequence {
            throw ShoalError(.network, "version \(newer) is published already, which is newer (302)")
        }
        // Of nodes that know the value, more than took it say that it is out of date.
        let conflicts = refusals.filter { $0.code == 301 || $0.code == 302 }.reduce(0) { $0 + $1.nodes }
        guard receipt.nodes <= conflicts else { return receipt }
        if let refusal = refusals.max(by: { $0.nodes < $1.nodes }) {
            throw ShoalError(.network, "the nodes refused it: \(refusal.code) \(refusal.text)")
        }
        if summary == nil, search.answers > 0 {
            throw ShoalError(.timedOut, "nobody confirmed the value in time; try a longer --timeout")
        }
        throw NodeCore.nothing(search, "no node would store the value")
    }

    /// The place of an item that is named by its target or by its publisher's key.
    private static func target(_ name: String, salt: [UInt8]) throws(ShoalError) -> NodeID {
        if let target = NodeID(hex: name) { return target }
        guard let bytes = Hex.decode(name), bytes.count == Ed25519.PublicKey.byteCount,
            let key = Ed25519.PublicKey(bytes.span.bytes)
        else {
            throw ShoalError(
                .usage,
                "'\(name)' is neither a target (40 hexadecimal digits) nor a public key (64 hexadecimal digits)"
            )
        }
        return Item.target(of: key, salt: salt)
    }
}

extension DHTItem {
    init(_ item: Item) {
        self.init(
            target: item.target.hex,
            value: item.value,
            key: item.seal?.key.hex,
            salt: item.seal?.salt ?? [],
            sequence: item.seal?.sequence,
            signature: item.seal?.signature.hex
        )
    }
}

extension DHTReceipt.Refusal {
    init(_ refusal: StoreRefusal) {
        self.init(code: Int(refusal.code), text: refusal.text, nodes: refusal.nodes)
    }
}

extension ShoalError {
    init(_ error: ItemError) {
        switch error {
        case .valueTooLong: self.init(.usage, "the value is too long: bencoded it may have 1000 bytes (BEP 44)")
        case .saltTooLong: self.init(.usage, "the salt is too long: it may have 64 bytes (BEP 44)")
        case .negativeSequence: self.init(.usage, "a sequence number cannot be negative")
        case .malformedValue(let fault): self.init(.badData, "the value is not bencoded as it has to be: \(fault)")
        case .invalidSignature: self.init(.failed, "the value could not be signed")
        }
    }
}
