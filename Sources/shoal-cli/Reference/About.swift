import Shoal

/// Facts about the program that help, the man page and `version` share.
enum About {
    static let name = "shoal"
    static let version = "0.1.0"
    static let summary = "share files straight from machine to machine"

    struct Row: Sendable {
        let name: String
        let meaning: String
    }

    /// The exit codes of this version, by what a script would want to tell apart.
    static let exitCodes: [Row] = [
        Row(name: "0", meaning: "done"),
        Row(name: "1", meaning: "another failure"),
        Row(name: "2", meaning: "wrong usage"),
        Row(name: "3", meaning: "nobody to fetch from, or time-out"),
        Row(
            name: "4",
            meaning:
                "network or tracker refused: port in use, address cannot be bound, value out of date, peer with a wrong key"
        ),
        Row(name: "5", meaning: "data is wrong: hash mismatch, corrupt .torrent"),
        Row(name: "6", meaning: "local files: disk full, no permission, exists as something else"),
        Row(name: "7", meaning: "no such thing"),
        Row(name: "8", meaning: "a tracker refused the login"),
        Row(name: "130, 143", meaning: "ended by SIGINT (Ctrl-C), by SIGTERM"),
    ]

    /// What the verbs of a family are for, for lists.
    static func summary(of family: String) -> String {
        switch family {
        case "tracker": "run a tracker (the default), or ask one about its files and peers"
        case "user": "an account at a tracker"
        case "chunks": "chunk folders: complete one through a tracker, cut, join"
        case "dht": "ask the network"
        case "torrent": ".torrent files; no network"
        case "id": "this node's identity"
        default: ""
        }
    }

    /// Variables that are not the twin of an option.
    static let environment: [Row] = [
        Row(name: "NO_COLOR", meaning: "when set, no colours"),
        Row(name: "SHOAL_PASSWORD", meaning: "the password of an account; a prompt asks for it otherwise"),
        Row(name: "SSL_CERT_FILE", meaning: "authorities to trust for https, in place of the system's"),
        Row(name: "XDG_STATE_HOME", meaning: "where the state folder is, unless --state says"),
        Row(name: "SHOAL_LOCAL_LIMITS", meaning: "on: the limits per address hold on loopback as well (for tests)"),
    ]

    static let files: [Row] = [
        Row(
            name: "trust list (--trust)",
            meaning:
                "the public keys of the only peers to talk to, one sp1- key a line, # comments, at most 10000 lines"
        ),
        Row(
            name: "swarm key (--swarm-key)",
            meaning: "32 bytes that all members of a private swarm share; readable by its owner alone (mode 0600)"
        ),
        Row(
            name: "~/.local/state/shoal",
            meaning: "state folder: this node's private key (identity.key), known nodes, verified pieces"
        ),
        Row(
            name: "bootstrap-nodes.txt",
            meaning: "nodes to join through, one host:port a line; looked for beside the program and in ../share/shoal"
        ),
    ]
}
