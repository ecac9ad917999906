import Primitives

extension RoutingTable {
    /// Puts the nodes closest to `target` that are not bad into `result`, nearest first, at most `count`.
    ///
    /// - Parameter asker: who is to be told of them, and so is told of none that it could not reach; `nil` for ourselves.
    func closest(to target: NodeID, atMost count: Int, for asker: IPAddress?, into result: inout [Contact]) {
        result.removeAll(keepingCapacity: true)
        nodes.forEach(nearestTo: target) { entry in
            if entry.isBad { return true }
            if let asker, !asker.mayName(entry.contact.endpoint.address) { return true }
            result.append(entry.contact)
            return result.count < count
        }
    }
}
