import Primitives

extension RoutingTable {
    /// Puts the nodes closest to `target` that are not bad into `result`, nearest first, at most `count`.
    ///
    /// Buckets are visited in the order of their distance: first the one that shares most bits with the target, then
    /// all nearer to us (their nodes differ from the target in the same bit), then the farther ones, one by one.
    func closest(to target: NodeID, atMost count: Int, for asker: IPAddress?, into result: inout [Contact]) {
        result.removeAll(keepingCapacity: true)
        let start = bucketIndex(of: target)
        collect(from: start..<start + 1, to: target, asker, into: &result)
        if result.count < count, start + 1 < buckets.count {
            collect(from: start + 1..<buckets.count, to: target, asker, into: &result)
        }
        var farther = start
        while result.count < count, farther > 0 {
            farther -= 1
            collect(from: farther..<farther + 1, to: target, asker, into: &result)
        }
        if result.count > count { result.removeSubrange(count...) }
    }

    /// Appends the nodes of some buckets, sorted among themselves by insertion: there are seldom more than a dozen.
    private func collect(
        from range: Range<Int>,
        to target: NodeID,
        _ asker: IPAddress?,
        into result: inout [Contact]
    ) {
        let sorted = result.count
        for index in range {
            for entry in buckets[index].entries where entry.failures < TableEntry.failuresOfBad {
                let contact = entry.contact
                if let asker, !asker.mayName(contact.endpoint.address) { continue }
                var position = result.count
                result.append(contact)
                while position > sorted, contact.id.isCloser(to: target, than: result[position - 1].id) {
                    result[position] = result[position - 1]
                    position -= 1
                }
                result[position] = contact
            }
        }
    }
}
