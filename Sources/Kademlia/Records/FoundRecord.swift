package import Availability
package import Cryptography
package import Primitives

/// A record that somebody handed on, its signature proved.
package struct FoundRecord: Hashable, Sendable {
    package let record: AvailabilityRecord
    /// Who sent it; `nil` where we hold it ourselves.
    package let sender: Endpoint?
    /// Where it was put from, as the sender says; `nil` where it says that the record is its own.
    package let seenAt: Endpoint?

    /// Where the key's owner may be, most likely first: claims, all of them. Those that we may ask are asked to prove the
    /// key, and `.provedKey` names those that did.
    package var places: [Endpoint] {
        // TCP and UDP have one port, and it is the record's: a source port may be a translation's.
        let source = (seenAt ?? sender).map { Endpoint($0.address, record.content.port) }
        var places: [Endpoint] = []
        for place in [source, record.content.endpoint4, record.content.endpoint6] {
            if let place, !places.contains(place) { places.append(place) }
        }
        return places
    }
}

/// A record that somebody handed on and that is none, or none to go by.
package struct RefusedRecord: Hashable, Sendable {
    package let fault: RecordFault
    /// Who is said to have signed it, and where to have been seen.
    package let key: Ed25519.PublicKey
    package let sequence: Int64
    package let sender: Endpoint
    package let seenAt: Endpoint?

    init(_ offer: OfferedRecord, _ fault: RecordFault, from sender: Endpoint) {
        self.fault = fault
        key = offer.key
        sequence = offer.sequence
        self.sender = sender
        seenAt = offer.seenAt
    }
}
