/// A file pattern as shells have it: `*` and `?` within a name, `**` across folders. A pattern without `/` is matched
/// against the file's own name as well as against its whole path.
struct Glob {
    private static let star = UInt8(ascii: "*")
    private static let slash = UInt8(ascii: "/")

    private let pattern: [UInt8]

    init(_ pattern: String) { self.pattern = Array(pattern.utf8) }

    func matches(_ path: String) -> Bool {
        let bytes = Array(path.utf8)
        if match(bytes[...]) { return true }
        guard !pattern.contains(Glob.slash), let last = bytes.lastIndex(of: Glob.slash) else { return false }
        return match(bytes[(last + 1)...])
    }

    /// Where matching goes on after a star that took too little.
    private struct Retry {
        let at: Int
        var position: Int
        /// `**/` takes whole folders.
        var takesFolders = false

        /// The same, with one byte (or one folder) more for the star; `nil` when there is none.
        func next(in text: ArraySlice<UInt8>) -> Retry? {
            guard takesFolders else { return Retry(at: at, position: position + 1) }
            guard let end = text[position...].firstIndex(of: Glob.slash) else { return nil }
            return Retry(at: at, position: end + 1, takesFolders: true)
        }
    }

    /// One point to return to is enough for `*`, so no pattern takes exponential time; `**` is the point that may cross a
    /// folder's end.
    private func match(_ text: ArraySlice<UInt8>) -> Bool {
        var position = text.startIndex
        var at = 0
        var retry: Retry?
        var wideRetry: Retry?
        while position < text.endIndex {
            if at < pattern.count, pattern[at] == Glob.star {
                let isWide = at + 1 < pattern.count && pattern[at + 1] == Glob.star
                at += isWide ? 2 : 1
                if isWide {
                    // `**/` matches no folder at all as well.
                    let takesFolders = at < pattern.count && pattern[at] == Glob.slash
                    if takesFolders { at += 1 }
                    wideRetry = Retry(at: at, position: position, takesFolders: takesFolders)
                    retry = nil
                } else {
                    retry = Retry(at: at, position: position)
                }
            } else if at < pattern.count, isMatch(pattern[at], text[position]) {
                at += 1
                position += 1
            } else if let last = retry, text[last.position] != Glob.slash, let next = last.next(in: text) {
                (at, position) = (next.at, next.position)
                retry = next
            } else if let next = wideRetry?.next(in: text) {
                (at, position) = (next.at, next.position)
                wideRetry = next
                retry = nil
            } else {
                return false
            }
        }
        while at < pattern.count, pattern[at] == Glob.star { at += 1 }
        return at == pattern.count
    }

    private func isMatch(_ wanted: UInt8, _ byte: UInt8) -> Bool {
        wanted == byte || (wanted == UInt8(ascii: "?") && byte != Glob.slash)
    }
}
