package import Primitives

extension Registry {
    /// Takes out the peers of one shard that were not heard of for twice the interval.
    ///
    /// Called for one shard after the other, so that each has its turn every minute.
    package mutating func expire(shard: Int, at now: Instant) {
        guard shards.indices.contains(shard) else { return }
        var empty: [InfoHash] = []
        var index = shards[shard].swarms.startIndex
        while index != shards[shard].swarms.endIndex {
            let infoHash = shards[shard].swarms[index].key
            var gone: [Endpoint] = []
            desk.expire(&shards[shard].swarms.values[index].v4, at: now) { gone.append($0) }
            desk.expire(&shards[shard].swarms.values[index].v6, at: now) { gone.append($0) }
            for endpoint in gone { removeHolder(endpoint, of: infoHash, in: shard) }
            if !gone.isEmpty { shards[shard].swarms.values[index].isChanged = true }
            if shards[shard].swarms.values[index].isEmpty { empty.append(infoHash) }
            shards[shard].swarms.formIndex(after: &index)
        }
        for infoHash in empty { removeSwarm(infoHash, in: shard) }
    }
}
