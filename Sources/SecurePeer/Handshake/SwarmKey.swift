package import Cryptography
import Primitives

/// What the members of a private swarm share: 32 random bytes, in locked memory.
///
/// Compared and hashed by a digest that is for nothing else, so that neither reveals anything by how long it takes.
package struct SwarmKey: Hashable, Sendable {
    package static let byteCount = 32

    package let secret: Secret
    private let name: UInt256

    /// Takes 32 bytes; `nil` for any other length, or where the system has no more memory for secrets.
    package init?(_ bytes: RawSpan) {
        guard bytes.byteCount == SwarmKey.byteCount, let secret = Secret(bytes) else { return nil }
        self.init(secret)
    }

    /// Takes 32 bytes that are in locked memory already.
    package init?(_ secret: Secret) {
        guard secret.byteCount == SwarmKey.byteCount,
            let name = BLAKE2b.hash256(secret.bytes, for: "SecPeer v1 swarm key")
        else { return nil }
        self.secret = secret
        self.name = name
    }

    /// A new key; `nil` where the system has no more memory for secrets.
    package static func random() -> SwarmKey? { Secret.random(byteCount: byteCount).flatMap { SwarmKey($0) } }

    package static func == (left: SwarmKey, right: SwarmKey) -> Bool { left.name == right.name }

    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// Whom a session is open to.
package enum SessionMode: Hashable, Sendable {
    /// Everybody with a certificate.
    case open
    /// Those who have the key of the swarm.
    case privateSwarm(SwarmKey)

    /// The byte that stands for it in a hello.
    var byte: UInt8 { self == .open ? 0 : 1 }

    var pattern: HandshakePattern { self == .open ? .xx : .xxWithSharedKey }

    /// One for each time that the pattern asks for it.
    var sharedKeys: [Secret] {
        switch self {
        case .open: []
        case .privateSwarm(let key): [key.secret, key.secret]
        }
    }
}
