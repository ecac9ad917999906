import Primitives

/// Why nodes did not take a value.
package struct StoreRefusal: Hashable, Sendable {
    /// BEP 5, BEP 44: 301 for another version than the expected one, 302 for a version that is not newer, ...
    package let code: Int64
    /// What the first of them said, printable ASCII only.
    package let text: String
    /// How many said so.
    package internal(set) var nodes: Int

    /// Kinds of refusal that a lookup tells apart; BEPs 5 and 44 have nine.
    static let most = 16
    static let longestText = 100

    init(code: Int64, text: RawSpan, nodes: Int = 1) {
        self.code = code
        self.nodes = nodes
        var clean = ""
        for index in 0..<min(text.byteCount, StoreRefusal.longestText) {
            let byte = text.byte(at: index) ?? 0
            clean.unicodeScalars.append(0x20...0x7e ~= byte ? Unicode.Scalar(byte) : "?")
        }
        self.text = clean
    }

    /// Joins a refusal with those of its kind.
    static func add(_ refusal: StoreRefusal, to refusals: inout [StoreRefusal]) {
        if let index = refusals.firstIndex(where: { $0.code == refusal.code }) {
            refusals[index].nodes += refusal.nodes
        } else if refusals.count < StoreRefusal.most {
            refusals.append(refusal)
        }
    }

    /// A newer version of what we were to store was found on the way.
    static func superseded(nodes: Int) -> StoreRefusal {
        let text: StaticString = "a newer version is published"
        return StoreRefusal(code: 302, text: text.bytes.span.bytes, nodes: nodes)
    }
}
