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
