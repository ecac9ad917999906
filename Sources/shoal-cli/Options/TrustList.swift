import Cryptography
import Shoal

/// The only peers to talk to, from the text of a trust list.
enum TrustList {
    /// More than any group of people that hands keys around.
    static let lineLimit = 10_000
    /// Bytes; ten thousand keys, with a name in a comment behind each.
    static let fileLimit = 2 << 20

    /// One key a line, in the form that `shoal id show` prints; empty lines and what follows a `#` do not count.
    ///
    /// - Parameters:
    ///   - text: the contents of the file.
    ///   - name: the file's name, for messages.
    /// - Returns: the keys, each once.
    static func parse(_ text: String, name: String) throws(ShoalError) -> [String] {
        var keys: [String] = []
        var known: Set<String> = []
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            guard index < lineLimit else {
                throw ShoalError(.usage, "\(name), line \(index + 1): a trust list has at most \(lineLimit) lines")
            }
            let entry = ListedText.trimmed(line.prefix { $0 != "#" })
            guard !entry.isEmpty else { continue }
            do throws(KeyTextFault) {
                _ = try Ed25519.PublicKey(text: entry)
            } catch {
                throw ShoalError(
                    .usage,
                    "\(name), line \(index + 1): '\(entry)' \(error.message); one key a line, as shoal id show prints it"
                )
            }
            if known.insert(entry).inserted { keys.append(entry) }
        }
        guard !keys.isEmpty else {
            throw ShoalError(
                .usage,
                "\(name) holds no key, so every peer would be refused; put in one a line, as shoal id show prints it"
            )
        }
        return keys
    }
}
