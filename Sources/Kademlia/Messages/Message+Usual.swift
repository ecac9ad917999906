import Primitives

extension Message {
    /// Reads a query in the form in which nearly all arrive: `ping`, `find_node` or `get_peers` in canonical order with
    /// no other keys than `want`, `ro` and `v`. `nil` for anything else, good or bad: that is left to the whole reader.
    ///
    /// It compares literals where the whole reader tells tokens apart, in a fifth of the time; a test holds that both read
    /// the same.
    init?(usual datagram: RawSpan, transactionBytes: Int) {
        var scanner = Scanner(bytes: datagram)
        guard scanner.takes("d1:ad2:id20:"), let id = NodeID(datagram, at: scanner.offset) else { return nil }
        self.init(kind: .error, transaction: 0..<0)
        scanner.offset += UInt160.byteCount
        body.id = id
        if scanner.takes("9:info_hash20:") {
            guard let infoHash = InfoHash(datagram, at: scanner.offset) else { return nil }
            scanner.offset += UInt160.byteCount
            body.infoHash = infoHash
        } else if scanner.takes("6:target20:") {
            guard let target = NodeID(datagram, at: scanner.offset) else { return nil }
            scanner.offset += UInt160.byteCount
            body.target = target
        }
        if scanner.takes("4:wantl") {
            body.wantsV4 = scanner.takes("2:n4")
            body.wantsV6 = scanner.takes("2:n6")
            guard scanner.takes("e") else { return nil }
        }
        if scanner.takes("e1:q9:get_peers") {
            kind = .query(.getPeers)
        } else if scanner.takes("e1:q9:find_node") {
            kind = .query(.findNode)
        } else if scanner.takes("e1:q4:ping") {
            kind = .query(.ping)
        } else {
            return nil
        }
        isReadOnly = scanner.takes("2:roi1e")
        guard scanner.takes("1:t"), let transaction = scanner.takeString(),
            (1...transactionBytes).contains(transaction.count)
        else { return nil }
        self.transaction = transaction
        if scanner.takes("1:v") {
            guard let client = scanner.takeString() else { return nil }
            self.client = client
        }
        guard scanner.takes("1:y1:qe"), scanner.offset == datagram.byteCount else { return nil }
    }

    /// A place in a datagram, and what is expected there.
    private struct Scanner: ~Escapable {
        let bytes: RawSpan
        var offset = 0

        @_lifetime(copy bytes)
        init(bytes: RawSpan) { self.bytes = bytes }

        /// Passes over a literal; `false` where something else comes.
        @inline(__always)
        mutating func takes(_ text: StaticString) -> Bool {
            guard bytes.matches(at: offset, text) else { return false }
            offset += text.utf8CodeUnitCount
            return true
        }

        /// Passes over a string whose length has one digit or two, neither of them a leading zero.
        mutating func takeString() -> Range<Int>? {
            guard var count = digit(at: offset) else { return nil }
            offset += 1
            if count > 0, let second = digit(at: offset) {
                count = count * 10 + second
                offset += 1
            }
            guard bytes.byte(at: offset) == UInt8(ascii: ":"), count < bytes.byteCount - offset else { return nil }
            let start = offset + 1
            offset = start + count
            return start..<offset
        }

        private func digit(at offset: Int) -> Int? {
            guard let byte = bytes.byte(at: offset), UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte else { return nil }
            return Int(byte - UInt8(ascii: "0"))
        }
    }
}
