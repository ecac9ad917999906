import Primitives

/// What a node does for the node of the other family beside it (BEP 32, "leaking").
///
/// A companion makes it ask for contacts of both families when it joins and when it refreshes its table: at the start
/// that brings both in faster, later it brings one back whose network was away. All other queries ask for the own
/// family alone: more is seldom news, and costs traffic.
struct Companionship: Sendable {
    var hasCompanion = false
    private var heard: [Contact] = []

    /// Contacts that may wait to be taken: two full replies.
    private static let mostHeard = 64

    mutating func hear(of contacts: [Contact]) {
        heard.append(contentsOf: contacts.prefix(Companionship.mostHeard - heard.count))
    }

    mutating func takeHeard() -> [Contact] {
        guard !heard.isEmpty else { return [] }
        defer { heard = [] }
        return heard
    }
}

extension DHTNode {
    /// Takes note of the other family's contacts in a reply to a query that asked for them.
    mutating func hearForCompanion(
        _ body: MessageBody,
        _ datagram: RawSpan,
        from sender: Contact,
        to purpose: Lookup.Purpose
    ) {
        guard wantsBothFamilies(for: purpose) else { return }
        let named = body.contacts(family.other, in: datagram, atMost: limits.nodesPerReply)
        let usable = named.filter {
            $0.endpoint.isUsable && sender.endpoint.address.mayName($0.endpoint.address)
        }
        statistics.contactsRefused += named.count - usable.count
        companionship.hear(of: usable)
    }

    func wantsBothFamilies(for purpose: Lookup.Purpose) -> Bool {
        guard companionship.hasCompanion else { return false }
        return switch purpose {
        case .join, .refresh: true
        default: false
        }
    }

    /// Takes up contacts of our family that our companion heard of.
    ///
    /// They are worth what remembered nodes are: asked while we are alone, and later one by one where the table has
    /// room (hardening D6). A pause after a failed attempt ends for the first of them only, so that whoever invents
    /// nodes does not keep us joining.
    mutating func heard(of contacts: [Contact], at now: Instant, into actions: inout DHTActionBuffer) {
        guard joining.isStarted else { return }
        let new = contacts.filter { contact in
            contact.endpoint.isUsable(in: family) && contact.id != id && !ownEndpoints.contains(contact.endpoint)
                && !table.contains(contact) && !joining.remembered.contains(contact)
        }
        guard !new.isEmpty else { return }
        joining.remember(new, atMost: limits.remembered)
        guard !joining.hasJoined else { return }
        if joining.lookup == nil, joining.retryAt == nil || !joining.wasWoken {
            joining.wasWoken = joining.retryAt != nil
            join(at: now, into: &actions)
        }
        for lookup in lookups where lookup.replies == 0 && !lookup.isInOverlay {
            guard let index = lookups.index(of: lookup.id) else { continue }
            lookups[index].add(new)
            pump(lookup.id, at: now, into: &actions)
        }
    }
}
