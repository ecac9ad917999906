import Availability
import Bencode
import Cryptography
import Kademlia
import Primitives

/// A node that hosts all over the internet put records to, as fast as its limits and beyond; nothing is sent.
final class RecordFlood {
    enum Kind: String, CaseIterable {
        /// Each newer than the one before, and rightly signed.
        case valid
        /// Each with a signature of the key over something else, which takes as long to check.
        case forged
    }

    private struct Put {
        let datagram: [UInt8]
        let sender: Endpoint
    }

    private var node: DHTNode
    private var actions = DHTActionBuffer()
    private var now = Instant.zero
    private var puts: [Put] = []
    private static let epoch: Int64 = 1_700_000_000_000
    private static let infoHash = InfoHash(UInt160(high: 1, middle: 2, low: 3))

    /// - Parameters:
    ///   - count: puts, all different.
    ///   - senders: hosts that send them in turn, each in a network of its own.
    init(_ kind: Kind, count: Int, senders: Int) throws(BenchError) {
        guard let key = RecordFlood.key(0) else { throw .failed("no memory can be locked for a key") }
        node = DHTNode(identity: NodeIDSource(key.publicKey), key: key, seed: 1, now: now)
        node.wallClock = WallClock(unixMilliseconds: RecordFlood.epoch, at: now)
        let blob = HaveBlob(Bitfield(filled: 100_000))
        guard let blob else { throw .failed("a have-blob cannot be made") }
        let content = RecordContent(blob, heldCount: 100_000, port: 6881)
        for sender in 0..<senders {
            guard let key = RecordFlood.key(sender + 1) else { throw .failed("no memory can be locked for a key") }
            let endpoint = Endpoint(.v4(0x1400_0001 + UInt32(sender) << 8), 6881)
            let token = try token(for: endpoint)
            for number in stride(from: sender, to: count, by: senders) {
                let sequence = RecordFlood.epoch + Int64(number)
                let signed = kind == .valid ? RecordFlood.infoHash : InfoHash(.zero)
                let record: AvailabilityRecord
                do {
                    record = try AvailabilityRecord(signing: content, of: signed, sequence: sequence, with: key)
                } catch { throw .failed("a record cannot be signed") }
                puts.append(Put(datagram: RecordFlood.datagram(record, token), sender: endpoint))
            }
        }
        // In turns, so that a sender's records come one after the other and yet no sender sends two at once.
        let share = puts.count / senders
        puts = (0..<share * senders).map { puts[$0 % senders * share + $0 / senders] }
    }

    /// What a flood came to.
    struct Outcome {
        var processorSeconds = 0.0
        var seconds = 0.0
        var datagrams = 0
        var answered = 0
        var checked = 0
    }

    /// Lets all puts come, so many a second.
    func run(perSecond: Int) -> Outcome {
        let pause = Duration.nanoseconds(1_000_000_000 / Int64(max(1, perSecond)))
        now = now + .seconds(60)
        // A second's worth of signatures may be checked at once: that second is not what lasts.
        let first = min(perSecond, puts.count / 2)
        receive(puts[..<first], every: pause)
        let before = node.statistics
        let stopwatch = Stopwatch()
        receive(puts[first...], every: pause)
        let processor = stopwatch.processor
        let after = node.statistics
        let count = puts.count - first
        return Outcome(
            processorSeconds: processor,
            seconds: (pause * count).inSeconds,
            datagrams: count,
            answered: after.datagramsSent - before.datagramsSent,
            checked: after.putHavesAccepted - before.putHavesAccepted + (after.recordsRefused[.signature] ?? 0)
                - (before.recordsRefused[.signature] ?? 0)
        )
    }

    private func receive(_ puts: ArraySlice<Put>, every pause: Duration) {
        for put in puts {
            now = now + pause
            node.received(put.datagram.span.bytes, from: put.sender, at: now, into: &actions)
            actions.removeAll()
        }
    }

    // MARK: Datagrams

    private static func key(_ number: Int) -> Ed25519.SigningKey? {
        var seed = ByteWriter()
        for part in 0..<4 { seed.bigEndian(UInt64(number) << 8 | UInt64(part)) }
        return Ed25519.SigningKey(seed: seed.bytes.span.bytes)
    }

    private static func datagram(_ record: AvailabilityRecord, _ token: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(utf8: "d1:ad2:id20:abcdefghij01234567899:info_hash20:")
        infoHash.value.write(to: &writer)
        writer.append(utf8: "1:k32:")
        record.key.value.write(to: &writer)
        writer.append(utf8: "3:seqi\(record.sequence)e3:sig64:")
        record.signature.write(to: &writer)
        writer.append(utf8: "5:token\(token.count):")
        writer.append(token)
        writer.append(utf8: "1:v")
        writer.append(record.value)
        writer.append(utf8: "e1:q8:put_have1:t2:xy1:v4:sw\u{0}\u{1}1:y1:qe")
        return writer.bytes
    }

    private func token(for sender: Endpoint) throws(BenchError) -> [UInt8] {
        var query = ByteWriter()
        query.append(utf8: "d1:ad2:id20:abcdefghij01234567899:info_hash20:")
        RecordFlood.infoHash.value.write(to: &query)
        query.append(utf8: "e1:q8:get_have1:t2:xy1:y1:qe")
        now = now + .milliseconds(10)
        node.received(query.bytes.span.bytes, from: sender, at: now, into: &actions)
        defer { actions.removeAll() }
        let mark = Array("5:token8:".utf8)
        for case .send(let range, to: sender) in actions.actions {
            let reply = actions.bytes[range]
            if let place = reply.firstRange(of: mark) { return Array(reply[place.upperBound...].prefix(8)) }
        }
        throw .failed("get_have gave no token")
    }
}
