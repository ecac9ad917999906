import Availability
import Cryptography
import Primitives

/// A record as it is kept for others: proved, and taken to pieces so that 20,000 of them stay small. What was parsed out of
/// it takes more room than the record.
struct HeldRecord: Hashable, Sendable {
    let key: Ed25519.PublicKey
    let sequence: Int64
    let signature: Ed25519.Signature
    let value: [UInt8]
    /// Unix milliseconds, the tolerance for clocks included.
    let expiresAt: Int64
    /// Where it was put from; `nil` for one of ours.
    let seenAt: Endpoint?

    init(_ record: AvailabilityRecord, seenAt: Endpoint?) {
        key = record.key
        sequence = record.sequence
        signature = record.signature
        value = record.value
        expiresAt = record.expiresAt.addingReportingOverflow(AvailabilityRecord.clockTolerance).partialValue
        self.seenAt = seenAt
    }

    var prefix: UInt32 { key.prefix }
}

extension Ed25519.PublicKey {
    /// The first four bytes, by which an asker says that it has the record of a key.
    var prefix: UInt32 { UInt32(truncatingIfNeeded: value.first >> 32) }
}
