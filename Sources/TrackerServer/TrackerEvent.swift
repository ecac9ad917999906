package import Primitives

/// What a tracker node tells whoever runs it.
package enum TrackerEvent: Hashable, Sendable {
    /// It answers at these addresses, over TCP and UDP.
    case listening([Endpoint])
    /// Something that a person should know, as a sentence.
    case notice(String)
    /// SIGINT or SIGTERM came, by its number (`TrackerConfiguration.reportsSignals`).
    case interrupted(signal: Int32)
}
