package import Cryptography

/// Who is at the other end: its certificate is checked, and it has proved that it has the key.
package struct RemotePeer: Hashable, Sendable {
    package let key: Ed25519.PublicKey
    package let mode: SessionMode
    package let greeting: Greeting
    /// The torrent that an initiator wants; a responder names none.
    package let swarm: SwarmTag?
}
