import Availability
import Cryptography
import Primitives

/// Records of who holds which pieces that others put here, under the info-hash itself (secure-peer.md, §2).
///
/// One network may have a share only of what is held for a torrent. Where there are too many, they go in this order: those
/// that have expired, those of the network that has most, and of these the oldest; of one torrent those with the highest
/// lot, which each node draws for itself. So the nodes near a key keep more together than each has room for, and who says
/// little is not displaced by who says much: with the newest kept by all, a fetch took twice as long (Benchmarks/swarm.md).
struct RecordStore: Sendable {
    struct Stored: Sendable {
        let record: HeldRecord
        let infoHash: InfoHash
        /// Whose share it takes; `nil` for an exempt address (D19).
        let source: IPAddress?
        var heardAt: Instant

        var network: IPAddress? { source?.wideNetwork }
    }

    /// Why a record finds no place.
    enum Refusal: Hashable, Sendable {
        case networkQuota
        case addressQuota
        /// The torrent has as many as are kept, and all of them drew lower lots.
        case full
    }

    @SharedLimits private var limits: DHTLimits
    private var stored: [InfoHash: [Stored]] = [:]
    private(set) var count = 0
    private var countByAddress: [IPAddress: Int] = [:]
    private var sweptAt: Instant
    private var checks: Allowance
    private let lots: SipHash
    /// Those of this node, which it hands out itself.
    private var own: [InfoHash: AvailabilityRecord] = [:]

    init(limits shared: SharedLimits, now: Instant, using secrets: inout KeyedRandom) {
        lots = SipHash(using: &secrets)
        let limits = shared.wrappedValue.records
        _limits = shared
        sweptAt = now
        checks = Allowance(perSecond: limits.checksPerSecond, perAddress: limits.checksPerAddress, now: now)
    }

    // MARK: Our own

    /// Keeps a record of ours in place of the one before; `false` where there are too many.
    mutating func keep(_ record: AvailabilityRecord) -> Bool {
        guard own.count < limits.records.own || own[record.infoHash] != nil else { return false }
        own[record.infoHash] = record
        return true
    }

    mutating func withdraw(_ infoHash: InfoHash) { own[infoHash] = nil }

    func ownRecord(of infoHash: InfoHash, at unixMilliseconds: Int64) -> HeldRecord? {
        guard let record = own[infoHash], record.expiresAt > unixMilliseconds else { return nil }
        return HeldRecord(record, seenAt: nil)
    }

    // MARK: Questions

    /// What is held for a torrent, as long as it has not expired.
    func records(of infoHash: InfoHash, at unixMilliseconds: Int64) -> [HeldRecord] {
        stored[infoHash]?.filter { $0.record.expiresAt >= unixMilliseconds }.map(\.record) ?? []
    }

    func record(of infoHash: InfoHash, by key: Ed25519.PublicKey) -> HeldRecord? {
        stored[infoHash]?.first { $0.record.key == key }?.record
    }

    /// Why a record of that key from there would not be stored; `nil` where it would.
    func refusal(
        of infoHash: InfoHash,
        by key: Ed25519.PublicKey,
        from address: IPAddress,
        at unixMilliseconds: Int64
    ) -> Refusal? {
        let isExempt = limits.exempts(address)
        let network = isExempt ? nil : address.wideNetwork
        if leaving(of: infoHash, for: key, in: network, at: unixMilliseconds) == key { return .full }
        if isExempt { return nil }
        var others = 0
        var isRenewal = false
        for held in stored[infoHash] ?? [] where held.record.expiresAt >= unixMilliseconds {
            if held.record.key == key {
                isRenewal = held.source == address.host
            } else if held.network == network {
                others += 1
            }
        }
        if others >= limits.records.perNetworkAndInfoHash { return .networkQuota }
        return !isRenewal && countByAddress[address.host, default: 0] >= limits.records.perAddress ? .addressQuota : nil
    }

    /// Whether a signature may be checked for `address` now; counts it if so (D18).
    mutating func affordsCheck(for address: IPAddress, at now: Instant) -> Bool {
        checks.admits(limits.exempts(address) ? nil : address, at: now)
    }

    // MARK: Storing

    /// Stores a record in place of an older one of its key, and of others where there are too many; one that `refusal` refuses
    /// is not stored.
    ///
    /// - Parameter source: where it came from.
    mutating func store(_ record: AvailabilityRecord, from source: Endpoint, at now: Instant, _ clock: WallClock) {
        remove(record.infoHash) { $0.record.key == record.key }
        let time = clock.unixMilliseconds(at: now)
        let host = limits.exempts(source.address) ? nil : source.address.host
        if let leaving = leaving(of: record.infoHash, for: record.key, in: host?.wideNetwork, at: time) {
            guard leaving != record.key else { return }
            remove(record.infoHash) { $0.record.key == leaving }
        }
        if stored[record.infoHash]?.count ?? 0 >= limits.records.perInfoHash {
            remove(record.infoHash) { $0.record.expiresAt < time }
        }
        if count >= limits.records.stored { makeRoom(at: time) }
        if let host { countByAddress[host, default: 0] += 1 }
        count += 1
        stored[record.infoHash, default: []].append(
            Stored(
                record: HeldRecord(record, seenAt: source),
                infoHash: record.infoHash,
                source: host,
                heardAt: now
            )
        )
    }

    /// Takes note that a record was put here again.
    ///
    /// By anybody: what its owner signed stays true. But where it came from first is where it was seen, or whoever copies
    /// a record could lead its readers astray.
    mutating func renew(_ infoHash: InfoHash, _ key: Ed25519.PublicKey, at now: Instant) {
        guard let index = stored[infoHash]?.firstIndex(where: { $0.record.key == key }) else { return }
        stored[infoHash]?[index].heardAt = now
    }

    /// Removes what has expired, now and then.
    mutating func sweep(at now: Instant, _ clock: WallClock) {
        guard now - sweptAt >= limits.records.sweep else { return }
        sweptAt = now
        removeExpired(at: clock.unixMilliseconds(at: now))
    }

    // MARK: Making room

    /// Whose record of a torrent goes if one of `key` comes, which may be that one; `nil` where there is room for all.
    private func leaving(
        of infoHash: InfoHash,
        for key: Ed25519.PublicKey,
        in network: IPAddress?,
        at unixMilliseconds: Int64
    ) -> Ed25519.PublicKey? {
        let others = (stored[infoHash] ?? []).filter {
            $0.record.key != key && $0.record.expiresAt >= unixMilliseconds
        }
        guard others.count >= limits.records.perInfoHash else { return nil }
        let contenders = others.map { ($0.record.key, $0.network) } + [(key, network)]
        let crowds = contenders.compactMap(\.1).reduce(into: [:]) { $0[$1, default: 0] += 1 }
        func crowd(_ contender: (Ed25519.PublicKey, IPAddress?)) -> Int { contender.1.flatMap { crowds[$0] } ?? 1 }
        return contenders.max {
            (crowd($0), lot(of: $0.0, infoHash)) < (crowd($1), lot(of: $1.0, infoHash))
        }?.0
    }

    private func lot(of key: Ed25519.PublicKey, _ infoHash: InfoHash) -> UInt64 {
        let key = key.value
        return lots.hash(key.first, key.second, key.third, key.fourth, infoHash.value.high)
    }

    /// Makes room for many more records: whom to remove takes a look at all of them.
    private mutating func makeRoom(at unixMilliseconds: Int64) {
        removeExpired(at: unixMilliseconds)
        let tooMany = count - limits.records.stored + limits.records.evictedAtOnce
        guard tooMany > 0 else { return }
        for leaving in RecordStore.order(stored.values.flatMap { $0 }).prefix(tooMany) {
            remove(leaving.infoHash) { $0.record.key == leaving.record.key }
        }
    }

    private mutating func removeExpired(at unixMilliseconds: Int64) {
        for infoHash in Array(stored.keys) { remove(infoHash) { $0.record.expiresAt < unixMilliseconds } }
    }

    /// In which order records leave: always the oldest of the network that has most, and of networks with equally many
    /// the oldest.
    private static func order(_ records: [Stored]) -> [Stored] {
        // The newest of a network is the last of one, the one before it the last of two, and so on.
        let newestFirst = records.sorted { $0.heardAt > $1.heardAt }
        var counts: [IPAddress: Int] = [:]
        var crowds: [Int] = []
        crowds.reserveCapacity(records.count)
        for stored in newestFirst {
            guard let network = stored.network else {
                crowds.append(1)
                continue
            }
            counts[network, default: 0] += 1
            crowds.append(counts[network] ?? 1)
        }
        return newestFirst.indices.sorted { crowds[$0] == crowds[$1] ? $0 > $1 : crowds[$0] > crowds[$1] }
            .map { newestFirst[$0] }
    }

    private mutating func remove(_ infoHash: InfoHash, where isLeaving: (Stored) -> Bool) {
        guard let held = stored[infoHash] else { return }
        let leaving = held.filter(isLeaving)
        guard !leaving.isEmpty else { return }
        for host in leaving.compactMap(\.source) {
            let left = (countByAddress[host] ?? 0) - 1
            countByAddress[host] = left > 0 ? left : nil
        }
        count -= leaving.count
        stored[infoHash] = leaving.count < held.count ? held.filter { !isLeaving($0) } : nil
    }
}

extension IPAddress {
    /// What one customer is usually given: a /24 of IPv4 is as narrow as networks are announced, of IPv6 a /56 is what RIRs
    /// suggest for a household.
    fileprivate var wideNetwork: IPAddress {
        switch self {
        case .v4(let bits): .v4(bits & 0xffff_ff00)
        case .v6(let high, _): .v6(high: high & 0xffff_ffff_ffff_ff00, low: 0)
        }
    }
}
