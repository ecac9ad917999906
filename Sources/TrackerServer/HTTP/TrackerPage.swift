import Cryptography
import HTTPServer
import Metainfo
import Primitives
import TrackerProtocol

/// The page for people at `/`: what this is, how busy it is, and the files that can be had, with what to type.
///
/// No script, nothing from elsewhere, and a policy that would let neither in; whatever somebody else wrote is escaped.
struct TrackerPage {
    /// What the page tells.
    struct Facts {
        var swarms = 0
        var seeders = 0
        var leechers = 0
        var needsAccounts = false
        /// Where the tracker can be reached, as `http://host:port`.
        var root = ""
        /// The first of the catalogue; none where only members may see it.
        var files: [File] = []
        /// How many there are beyond these.
        var moreFiles = 0
    }

    struct File {
        var name: String
        var infoHash: InfoHash
        var size: Int64
        var seeders = 0
        var leechers = 0
    }

    /// What somebody reads through; `shoal tracker list` has all.
    static let mostFiles = 200

    private let policy: String

    init() {
        let digest = SHA256.hash(Array(TrackerPage.style.utf8).span.bytes)
        // CSP takes the alphabet of URLs too, but wants the padding.
        policy = """
            default-src 'none'; style-src 'sha256-\(Base64URL.encode(digest.bytes))='; base-uri 'none'; \
            form-action 'none'; frame-ancestors 'none'
            """
    }

    func response(_ facts: Facts) -> HTTPResponse {
        let html = TrackerPage.head + TrackerPage.body(facts)
        var response = HTTPResponse(mediaType: "text/html; charset=utf-8", body: Array(html.utf8))
        response.headers = [
            .init("Content-Security-Policy", policy), .init("X-Content-Type-Options", "nosniff"),
            .init("Referrer-Policy", "no-referrer"), .init("Cache-Control", "no-store"),
        ]
        return response
    }

    // MARK: Text

    private static let head = """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <title>shoal tracker</title><style>\(style)</style></head>

        """

    private static let style = """
        :root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;\
        padding:0 1rem}\
        table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .8rem .4rem 0;vertical-align:top;\
        border-bottom:1px solid #8884}td.n,th.n{text-align:right}code{font:14px ui-monospace,monospace;\
        overflow-wrap:anywhere}dl{display:flex;gap:2rem;flex-wrap:wrap}dt{opacity:.7}dd{margin:0;font-size:1.6rem}
        """

    private static func body(_ facts: Facts) -> String {
        """
        <body><h1>shoal tracker</h1>
        <p>This machine tells people who share files with each other where to find one another. It has no files \
        itself.</p>
        <dl><div><dt>torrents</dt><dd>\(facts.swarms)</dd></div>\
        <div><dt>complete peers</dt><dd>\(facts.seeders)</dd></div>\
        <div><dt>fetching peers</dt><dd>\(facts.leechers)</dd></div></dl>
        \(facts.needsAccounts ? members(facts) : guests(facts))
        </body></html>

        """
    }

    private static func members(_ facts: Facts) -> String {
        """
        <p>It is for people with an account; they see its files.</p>
        <p><code>shoal user register --tracker \(escaped(facts.root))</code></p>
        """
    }

    private static func guests(_ facts: Facts) -> String {
        guard !facts.files.isEmpty else {
            return """
                <p>Nobody has registered a file yet.</p>
                <p><code>shoal share FILE --tracker \(escaped(facts.root))</code></p>
                """
        }
        let rows = facts.files.map { row($0, facts.root) }.joined(separator: "\n")
        let more = facts.moreFiles > 0 ? "<p>And \(facts.moreFiles) more: <code>shoal tracker list</code></p>" : ""
        return """
            <table><tr><th>file</th><th class="n">size</th><th class="n">complete</th><th class="n">fetching</th>\
            <th>how to fetch it</th></tr>
            \(rows)
            </table>\(more)
            """
    }

    private static func row(_ file: File, _ root: String) -> String {
        let place = TrackerURL(root)?.nameSuffix ?? root
        let magnet =
            "magnet:?xt=urn:btih:\(file.infoHash.hex)&dn=\(PercentEncoding.encode(file.name))"
            + "&tr=\(PercentEncoding.encode("\(root)/announce"))"
        return """
            <tr><td><a href="\(escaped(magnet))">\(escaped(file.name))</a></td><td class="n">\(size(file.size))</td>\
            <td class="n">\(file.seeders)</td><td class="n">\(file.leechers)</td>\
            <td><code>shoal fetch \(escaped(shellWord("\(file.name)@\(place)")))</code></td></tr>
            """
    }

    /// `999 B`, `1.5 KiB`, `834.0 MiB`: cut, not rounded, after the first decimal.
    static func size(_ bytes: Int64) -> String {
        guard bytes >= 1024 else { return "\(bytes) B" }
        var unit = 0
        var tenths = bytes / 1024 * 10 + bytes % 1024 * 10 / 1024
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        while tenths >= 10240, unit + 1 < units.count {
            tenths /= 1024
            unit += 1
        }
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }

    /// Text that is text wherever it stands in HTML.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// One word for a shell, quoted where it has to be: people will paste it.
    private static func shellWord(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case 48...57, 65...90, 97...122: true
            default: "@%+=:,./-_[]".utf8.contains(byte)
            }
        }
        return isPlain
            ? text : "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
