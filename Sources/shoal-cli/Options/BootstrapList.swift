import Metainfo
import Shoal

/// The nodes to join the DHT through, from the text of a bootstrap file.
enum BootstrapList {
    /// Enough for any list that a person keeps; each entry is a name to resolve and a packet to send at every start.
    static let entryLimit = 1000
    /// Bytes; a thousand names of the greatest length, with room for comments.
    static let fileLimit = 1 << 20

    /// One `host:port` a line; empty lines and what follows a `#` do not count.
    ///
    /// - Parameters:
    ///   - text: the contents of the file.
    ///   - name: the file's name, for messages.
    static func parse(_ text: String, name: String) throws(ShoalError) -> [String] {
        var entries: [String] = []
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let entry = ListedText.trimmed(line.prefix { $0 != "#" })
            guard !entry.isEmpty else { continue }
            guard HostAndPort(entry) != nil else {
                throw ShoalError(.usage, "\(name), line \(index + 1): '\(entry)' is not host:port")
            }
            guard entries.count < entryLimit else {
                throw ShoalError(.usage, "\(name), line \(index + 1): more than \(entryLimit) nodes")
            }
            if !entries.contains(entry) { entries.append(entry) }
        }
        return entries
    }
}

/// Lines of files that people write.
enum ListedText {
    /// Without white space at either end.
    static func trimmed(_ text: Substring) -> String {
        var text = text.drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
