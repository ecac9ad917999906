/// Whom a node, or one torrent of it, talks to, and how. Secure sessions prove who is at the other end and hide what is said.
public struct SessionRules: Hashable, Sendable {
    /// Who is talked to in the clear.
    public var secure: Configuration.SecurePolicy = .prefer
    /// The public keys (`sp1-...`) of the only peers that are talked to, always in secure sessions; `nil` for everybody.
    public var trustedKeys: [String]?
    /// The file with the key of a private swarm (`SwarmKeyFile`): only who has it too is talked to, always in secure
    /// sessions; `nil` for open swarms.
    public var swarmKeyFile: String?

    /// The defaults.
    public init() {}
}
