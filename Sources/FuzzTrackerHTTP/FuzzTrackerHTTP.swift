import Primitives
import TrackerProtocol

/// libFuzzer's entry: the first byte says what the rest is.
///
///     0 the query of an announce · 1 of a scrape · 2 what a tracker answers to an announce · 3 a swarm that was written down
///
/// What our tracker answers, our client has to understand as it was meant.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafeRawPointer?, _ count: Int) -> CInt {
    // Safe: libFuzzer passes `count` readable bytes.
    let input = unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    guard let kind = input.first else { return 0 }
    let rest = Array(input.dropFirst())
    switch kind & 3 {
    case 0: announce(rest)
    case 1: scrape(rest)
    case 2: answer(rest)
    default: swarm(rest)
    }
    return 0
}

private let sender = IPAddress.v4(0x0808_0808)
private let now = Instant.zero + .seconds(100_000)

/// Small, for one is made for each input.
private func emptyRegistry() -> Registry {
    var limits = RegistryLimits()
    limits.peers = 1000
    return Registry(limits: limits, seed: 1, now: now)
}

/// A tracker that has a few peers for everything that is asked.
private func registry(for infoHash: InfoHash) -> Registry {
    var registry = emptyRegistry()
    var reply = AnnounceReply()
    for number in 1...20 {
        let id = PeerID(UInt160(high: 1, middle: 2, low: UInt32(number)))
        var request = AnnounceRequest(infoHash: infoHash, peerID: id, port: UInt16(number))
        request.left = UInt64(number % 2)
        try? registry.announce(request, from: .v4(0x0102_0300 + UInt32(number)), at: now, into: &reply)
    }
    return registry
}

private func announce(_ bytes: [UInt8]) {
    var writer = ByteWriter()
    var reply = AnnounceReply()
    do throws(TrackerFailure) {
        let query = try AnnounceQuery(bytes.span.bytes)
        precondition(query.request.port > 0, "a peer without a port")
        var registry = registry(for: query.request.infoHash)
        try registry.announce(query.request, from: sender, query.details, at: now, into: &reply)
        if let holding = query.holding {
            registry.hold(holding, of: Endpoint(sender, query.request.port), for: query.request.infoHash)
        }
        let holders = registry.holders(of: query.request.infoHash, for: sender, mostPieces: 64)
        precondition((holders?.holders.count ?? 0) <= 64, "too many pieces")
        let additions = HTTPAnswer.Additions(externalAddress: sender)
        HTTPAnswer.announce(reply, isCompact: query.isCompact, additions, to: &writer)
        let answer = try? TrackerAnswer(http: writer.bytes.span.bytes)
        precondition(answer?.peers.count == reply.peerCount, "our answer is not understood")
        precondition(answer?.interval == Int64(reply.interval), "another interval arrived")
    } catch {
        HTTPAnswer.failure(error, to: &writer)
        let isRefusal = (try? TrackerAnswer(http: writer.bytes.span.bytes)) == nil
        precondition(isRefusal, "a failure was taken for an answer")
    }
}

private func scrape(_ bytes: [UInt8]) {
    guard let query = try? ScrapeQuery(bytes.span.bytes) else { return }
    precondition((1...128).contains(query.infoHashes.count), "too many torrents")
    guard let first = query.infoHashes.first else { return }
    let registry = registry(for: first)
    var writer = ByteWriter()
    HTTPAnswer.scrape(query, .v4, registry, to: &writer)
    let count = try? TrackerCount(http: writer.bytes.span.bytes, of: first)
    precondition(count?.seeders == 10, "our scrape is not understood")
}

private func answer(_ bytes: [UInt8]) {
    guard let answer = try? TrackerAnswer(http: bytes.span.bytes) else { return }
    precondition(answer.peers.count <= 200 && answer.peers.allSatisfy { $0.port > 0 }, "peers that nobody can dial")
    precondition((answer.nodes ?? []).count <= 16, "too many trackers")
}

/// What was read is written as the same again, whatever it was read from.
private func swarm(_ bytes: [UInt8]) {
    let infoHash = InfoHash(.zero)
    func written(_ bytes: [UInt8]) -> [UInt8] {
        var registry = emptyRegistry()
        registry.restore(bytes.span.bytes, of: infoHash, writtenAgo: .zero, isForeign: false, at: now)
        var reply = AnnounceReply()
        var request = AnnounceRequest(infoHash: infoHash, peerID: PeerID(.zero), port: 9)
        request.event = .interval
        try? registry.announce(request, from: .loopbackV4, at: now, into: &reply)
        return registry.takeChanges(ofShard: registry.shard(of: infoHash), at: now).swarms[infoHash] ?? []
    }
    let once = written(bytes)
    precondition(written(once).count == once.count, "a swarm changes when it is read")
}
