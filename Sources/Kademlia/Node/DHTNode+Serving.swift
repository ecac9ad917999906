package import Primitives

extension DHTNode {
    /// Whether we answer hosts of the internet, or only ask them (BEP 43).
    package var isServing: Bool { reachability.isServing(at: toldTime) }

    /// Tells the node which addresses its host has: by them it names itself to those that share a network with it.
    ///
    /// - Parameter port: the one that it listens on.
    package mutating func hasAddresses(_ addresses: [IPAddress], port: UInt16? = nil) {
        if let port { identity.external.port = port }
        identity.external.interfaces = addresses.filter { $0.family == family && !$0.isReserved }
    }

    /// Says that what was announced by `findPeers(of:announcingPort:)` is not shared here any more. Others forget it by
    /// themselves.
    package mutating func withdraw(_ infoHash: InfoHash) { announcements.remove(infoHash) }

    /// Puts ourselves among the peers of an answer, where we share what is asked for and the asker can reach us.
    mutating func nameOurselves(sharing infoHash: InfoHash, to asker: IPAddress, atMost count: Int) {
        guard count > 0, let port = announcements.port(of: infoHash),
            let address = identity.external.address(for: asker)
        else { return }
        let own = Endpoint(address, port)
        if peerScratch.contains(own) { return }
        if peerScratch.count >= count { peerScratch.removeLast() }
        peerScratch.append(own)
    }

    /// Asks our neighbours as if we were serving, from time to time: who takes us up names us to others, and one of
    /// them who comes proves that we can be reached.
    mutating func probeReachability(at now: Instant, into actions: inout DHTActionBuffer) {
        guard joining.hasJoined, reachability.shouldProbe(at: now) else { return }
        table.closest(to: id, atMost: limits.bucketSize, for: nil, into: &contactScratch)
        for contact in contactScratch where contact.endpoint.address.isPublic {
            reachability.probed(contact.endpoint.address, at: now)
            verify(contact, asServer: true, at: now, into: &actions)
        }
    }
}
