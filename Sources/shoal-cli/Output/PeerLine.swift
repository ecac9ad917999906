import Metainfo
import Shoal

/// The line that says that a peer came or went, and why.
enum PeerLine {
    /// `nil` where a person did not ask for as much.
    static func text(for peer: PeerStatus, style: Display.Style) -> String? {
        let isWarning = peer.state == .banned || peer.reason.map(warnings.contains) ?? false
        guard isWarning || style.isVerbose else { return nil }
        var text = "peer \(peer.address) \(peer.state.rawValue)"
        // Who was refused has hardly said what it is.
        if peer.state != .refused, let client = peer.client, !client.isEmpty { text += ", \(client)" }
        if peer.isSecure { text += ", secure" }
        if peer.state == .connected, !peer.source.isEmpty { text += ", known from \(peer.source)" }
        if peer.state == .connected, let key = peer.key { text += provenance(of: key, peer) }
        if let reason = peer.reason { text += ": " + said(of: reason, peer.detail) }
        let safe = DisplayText.clean(text)
        return style.usesColor && isWarning ? Paint.yellow(safe) : safe
    }

    /// Who lied, and who may be somebody else than he was: worth knowing always. Who comes and goes only when asked.
    private static let warnings: Set<String> = [
        "secure_downgrade_refused", "peer_identity_mismatch", "certificate_clock",
    ]

    /// A session proves a key, or the signature of a record did.
    private static func provenance(of key: String, _ peer: PeerStatus) -> String {
        let isChosen = peer.isChosenForRecord
        if peer.isSecure { return (isChosen ? ", chosen for its record" : "") + ", key \(key)" }
        return (isChosen ? ", chosen for its record" : ", record") + " signed by \(key)"
    }

    /// The reason in a sentence, where the word alone says too little; what the engine says of this case goes before.
    private static func said(of reason: String, _ detail: String?) -> String {
        let words = reason.split(separator: "_").joined(separator: " ")
        let sentence = detail ?? sentences[reason] ?? words
        return advice[reason].map { "\(sentence); \($0)" } ?? sentence
    }

    private static let sentences: [String: String] = [
        "secure_downgrade_refused": "spoke SPS/1 before and now does not: not falling back to plain",
        "secure_downgrade_refused_by_peer": "knows this node as secure and refuses to be talked to in plain",
        "peer_identity_mismatch": "has another key than the one it has to have: not talking to it",
        "not_trusted": "its key is not in the trust list",
        "not_trusted_by_peer": "this node's key is not in its trust list",
        "plain_refused": "speaks plain BitTorrent only, and sessions have to be secure",
        "certificate_clock": "its certificate is not valid at the time of this clock",
        "no_swarm_key_fits": "is in another private swarm, or has another swarm key",
        "hello_refused_mode": "wants another kind of session: one side has a swarm key, the other has not",
        "upgrading": "can talk securely, and is dialled anew to do so",
        "mse_or_unknown": "tried an encryption of its own (MSE) first, or speaks another protocol",
        "truncated": "the connection was cut off; what arrived was right",
        "connected_to_self": "is this node itself",
    ]

    private static let advice: [String: String] = [
        "certificate_clock": "one of the two clocks is wrong: set it",
        "not_trusted_by_peer": "shoal id show prints the key for whoever keeps that",
    ]
}
