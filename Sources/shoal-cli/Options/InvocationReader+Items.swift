import Primitives
import Shoal

/// The options of values in the DHT.
extension InvocationReader {
    func put() throws(ShoalError) -> Invocation.DHTQuestion.Kind {
        let signature = try signature(keyFile: .key)
        if signature == nil {
            for name in [OptionName.salt, .sequence, .compareAndSwap] where values.isGiven(name) {
                throw ShoalError(.usage, "--\(name.rawValue) is for a value that is signed: give --key KEYFILE as well")
            }
        }
        let file = values.isGiven(.file) || parsed.positionals.isEmpty ? try text(.file) : nil
        switch (parsed.positionals.first, file) {
        case (let value?, nil): return .put(.text(value), signature)
        case (nil, let file?): return .put(.file(file), signature)
        case (nil, nil): throw ShoalError(.usage, "put needs VALUE or --file FILE")
        default: throw ShoalError(.usage, "put takes VALUE or --file FILE, not both")
        }
    }

    func get(_ name: String) throws(ShoalError) -> Invocation.DHTQuestion.Kind {
        guard let bytes = Hex.decode(name), bytes.count == 20 || bytes.count == 32 else {
            throw ShoalError(
                .usage,
                "NAME: '\(name)' is neither a target (40 hexadecimal digits) nor a public key (64)"
            )
        }
        let isRaw = try values.flag(.raw)
        if isRaw, try values.flag(.json) {
            throw ShoalError(.usage, "--raw and --json both write to standard output; leave one out")
        }
        return .get(name, salt: try salt(), raw: isRaw)
    }

    /// Under whose key `share` publishes.
    func update() throws(ShoalError) -> Invocation.DHTQuestion.Signature? {
        let signature = try signature(keyFile: .update)
        if signature == nil, values.isGiven(.salt) {
            throw ShoalError(.usage, "--salt goes with --update KEYFILE")
        }
        if signature != nil, try values.flag(.isPrivate) {
            throw ShoalError(.usage, "--update publishes in the DHT, where a private torrent must not be (BEP 27)")
        }
        if signature != nil, try values.flag(.noDHT) {
            throw ShoalError(.usage, "--update publishes in the DHT, which --no-dht leaves out")
        }
        return signature
    }

    private func signature(keyFile name: OptionName) throws(ShoalError) -> Invocation.DHTQuestion.Signature? {
        guard let file = try text(name) else { return nil }
        return .init(
            keyFile: file,
            salt: try salt(),
            sequence: try version(.sequence),
            replacing: try version(.compareAndSwap)
        )
    }

    private func salt() throws(ShoalError) -> String {
        guard let value = values.last(.salt) else { return "" }
        guard value.text.utf8.count <= 64 else {
            throw ShoalError(.usage, "\(value.origin): a salt has at most 64 bytes (BEP 44)")
        }
        return value.text
    }

    private func version(_ name: OptionName) throws(ShoalError) -> Int64? {
        guard let value = values.last(name) else { return nil }
        guard value.text.utf8.allSatisfy({ 48...57 ~= $0 }), let number = Int64(value.text) else {
            throw ShoalError(
                .usage,
                "\(value.origin): '\(value.text)' is not a whole number from 0 to 9223372036854775807"
            )
        }
        return number
    }
}
