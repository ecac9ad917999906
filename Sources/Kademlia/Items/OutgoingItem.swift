import Primitives

/// An item on its way to the nodes that are to store it.
struct OutgoingItem: Hashable, Sendable {
    /// Why it is stored.
    enum Occasion: Hashable, Sendable {
        /// Its publisher wants it.
        case published
        /// We hold it for somebody, who published it so long ago.
        case heldFor(Duration)
        /// We looked it up and met nodes with an older version.
        case repair
    }

    var item: Item
    let occasion: Occasion
    /// The version that it must replace (BEP 44 `cas`).
    var replacing: Int64?

    /// Whether a node with this version is to be asked to take it.
    func isFor(holderOf sequence: Int64?) -> Bool {
        guard occasion == .repair else { return true }
        guard let sequence, let own = item.seal?.sequence else { return false }
        return sequence < own
    }

    /// - Parameters:
    ///   - sequence: the version that the node has; without one, it is not told what to replace (BEP 44).
    func query(token: [UInt8], toHolderOf sequence: Int64?) -> OutgoingQuery {
        var put = OutgoingPut(item: item, token: token)
        put.compareAndSwap = sequence == nil ? nil : replacing
        if case .heldFor(let age) = occasion { put.age = age }
        return .put(put)
    }
}

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

    /// A newer version of what we were to store was found on the way.
    static func superseded(nodes: Int) -> StoreRefusal {
        let text: StaticString = "a newer version is published"
        return StoreRefusal(code: 302, text: text.bytes.span.bytes, nodes: nodes)
    }
}
