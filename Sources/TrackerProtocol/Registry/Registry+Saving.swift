package import Primitives

/// What changed in a shard since it was last written down.
package struct ShardChanges: Hashable, Sendable {
    /// Swarms by info-hash, as `Registry.restore` reads them; no bytes for a swarm that is no more.
    package internal(set) var swarms: [InfoHash: [UInt8]] = [:]
    /// Completions since then.
    package internal(set) var downloads: [InfoHash: Int64] = [:]

    package var isEmpty: Bool { swarms.isEmpty && downloads.isEmpty }
}

extension Registry {
    /// Takes what has to be written down of a shard. Where that fails, `putBack` has it written the next time.
    package mutating func takeChanges(ofShard shard: Int, at now: Instant) -> ShardChanges {
        var changes = ShardChanges()
        guard shards.indices.contains(shard) else { return changes }
        for infoHash in shards[shard].emptied { changes.swarms[infoHash] = [] }
        shards[shard].emptied = []
        var index = shards[shard].swarms.startIndex
        while index != shards[shard].swarms.endIndex {
            if shards[shard].swarms.values[index].isChanged {
                shards[shard].swarms.values[index].isChanged = false
                let (infoHash, swarm) = shards[shard].swarms[index]
                changes.swarms[infoHash] = SwarmCoding.encode(swarm, shards[shard].holders[infoHash], at: now)
            }
            shards[shard].swarms.formIndex(after: &index)
        }
        changes.downloads = shards[shard].newlyDownloaded.mapValues { Int64($0) }
        shards[shard].newlyDownloaded = [:]
        return changes
    }

    /// Takes back what could not be written down.
    package mutating func putBack(_ changes: ShardChanges) {
        for infoHash in changes.swarms.keys {
            let shard = shard(of: infoHash)
            if let index = shards[shard].swarms.index(forKey: infoHash) {
                shards[shard].swarms.values[index].isChanged = true
            } else {
                shards[shard].emptied.insert(infoHash)
            }
        }
        for (infoHash, count) in changes.downloads {
            shards[shard(of: infoHash)].newlyDownloaded[infoHash, default: 0] &+= UInt32(clamping: count)
        }
    }

    /// Takes up a swarm that was written down. Peers that are listed already stay as they are.
    ///
    /// - Parameters:
    ///   - age: how long ago it was written down.
    ///   - isForeign: whether by another tracker: then it is not written down again as ours, and its peers are kept for an
    ///     interval only, because that one tells of them again.
    package mutating func restore(
        _ bytes: RawSpan,
        of infoHash: InfoHash,
        writtenAgo age: Duration,
        isForeign: Bool,
        at now: Instant
    ) {
        guard var reader = SwarmReader(bytes) else { return }
        let shard = shard(of: infoHash)
        let lifetime = isForeign ? limits.interval : limits.lifetime
        let ticksAgo = UInt16(clamping: max(0, age.components.seconds) / RowStamp.secondsPerTick)
        guard let index = swarm(infoHash, in: shard, mayBegin: true) else { return }
        while let peer = reader.nextPeer() {
            let (ticks, isOld) = peer.age.addingReportingOverflow(ticksAgo)
            guard !isOld, .seconds(Int64(ticks) * RowStamp.secondsPerTick) <= lifetime else { continue }
            var stamp = RowStamp(at: now, ticksAgo: ticks)
            stamp.isForeign = isForeign
            stamp.hasCompleted = peer.hasCompleted
            if let row = RowV4(peer.endpoint, peer.id, stamp) {
                desk.restore(row, isSeed: peer.isSeed, in: &shards[shard].swarms.values[index].v4, at: now)
            } else if let row = RowV6(peer.endpoint, peer.id, stamp) {
                desk.restore(row, isSeed: peer.isSeed, in: &shards[shard].swarms.values[index].v6, at: now)
            }
        }
        for holder in reader.holders(atMost: limits.holdersPerSwarm) {
            hold(holder.blob, of: holder.endpoint, for: infoHash)
        }
        if shards[shard].swarms.values[index].isEmpty { removeSwarm(infoHash, in: shard) }
    }

    /// Takes up how often a torrent was completed, as it was written down; what was counted since comes on top.
    package mutating func restore(downloads count: Int64, of infoHash: InfoHash) {
        let shard = shard(of: infoHash)
        if shards[shard].downloaded[infoHash] == nil {
            guard rememberedCount < limits.remembered else { return }
            rememberedCount += 1
        }
        let counted = UInt32(clamping: count).addingReportingOverflow(shards[shard].newlyDownloaded[infoHash] ?? 0)
        shards[shard].downloaded[infoHash] = counted.overflow ? .max : counted.partialValue
    }
}
