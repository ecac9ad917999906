import Cryptography
import Shoal

/// The options that say whom to talk to, and how they prove it (secure-peer.md, §3).
extension InvocationReader {
    func readSecurity(into network: inout Network) throws(ShoalError) {
        network.trustFile = try text(.trust)
        network.swarmKeyFile = try text(.swarmKey)
        guard let policy = values.last(.secure) else { return }
        network.secure = try choice(policy.text, of: Configuration.SecurePolicy.self, origin: policy.origin)
        guard network.secure == .off else { return }
        let needs = [values.last(.trust), values.last(.swarmKey)].compactMap { $0 } + values.all(.peer).filter(hasKey)
        guard let need = needs.first else { return }
        let what = hasKey(need) ? "the key of \(need.origin)" : need.origin
        throw ShoalError(
            .usage,
            "\(policy.origin) off leaves only plain sessions, which cannot prove a key, and \(what) needs secure ones; "
                + "leave one of the two out"
        )
    }

    /// `[sp1-KEY@]HOST:PORT`, each as it was given.
    func peers() throws(ShoalError) -> [String] {
        var peers: [String] = []
        for value in values.all(.peer) {
            var place = value.text[...]
            if let sign = place.firstIndex(of: "@") {
                let key = place[..<sign]
                do throws(KeyTextFault) {
                    _ = try Ed25519.PublicKey(text: key)
                } catch {
                    throw ShoalError(
                        .usage,
                        "\(value.origin): the key '\(key)' \(error.message); copy what shoal id show prints there"
                    )
                }
                place = place[place.index(after: sign)...]
            }
            _ = try hostPort(String(place), what: value.origin)
            peers.append(value.text)
        }
        return peers
    }

    private func hasKey(_ value: OptionValues.Value) -> Bool { value.text.contains("@") }

    /// `new FILE`
    func swarmKey() throws(ShoalError) -> String {
        let words = parsed.positionals
        guard words.count == 2, words[0] == "new" else {
            let hint = Suggestion.hint(for: words.first ?? "", among: ["new"])
            throw ShoalError(.usage, "id swarm-key has no verb '\(words.first ?? "")'\(hint) (it has: new FILE)")
        }
        return words[1]
    }
}
