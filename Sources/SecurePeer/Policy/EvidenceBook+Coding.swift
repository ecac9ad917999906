package import Bencode
import Cryptography
package import Primitives

/// Evidence as it survives a restart, in a file of ours.
///
///     d1:el d1:a<compact endpoint> 1:f<failures> 1:g<first of them> 1:k32:<key> 1:s<seen> 1:u<proved until> e ... e 1:vi1e e
///
/// Times are in seconds since 1970; `f`, `g` and `u` are there where they say something. Pins come from the person at each
/// start, and hearsay is not worth keeping.
extension EvidenceBook {
    /// Why a file is not taken up.
    package enum FileFault: Error, Hashable, Sendable {
        case malformed(BencodeError)
        case unknownVersion(Int64)
        /// The entry of this number, from 0, lacks something, or is none that we would write.
        case badEntry(Int)
    }

    /// 4096 entries of at most 160 bytes, with the largest numbers.
    package static let mostBytes = 1 << 20

    private static let version: Int64 = 1
    private static let bencodeLimits = BencodeLimits(depth: 3, tokens: 64 << 10, byteCount: mostBytes, isStrict: true)

    /// What is valid now, the latest first.
    package func encoded(_ clock: WallClock, at now: Instant) -> [UInt8] {
        let entries = evidence.filter { isValid($0.value, at: now) }
            .sorted { EvidenceBook.isOlder($1, $0) }
        func seconds(_ instant: Instant) -> Int64 { clock.unixMilliseconds(at: instant) / 1000 }
        var writer = BencodeWriter(capacity: 32 + entries.count * 128)
        writer.dictionary {
            $0.key("e")
            $0.list {
                for (endpoint, entry) in entries { EvidenceBook.write(entry, of: endpoint, to: &$0, seconds) }
            }
            $0.key("v")
            $0.integer(EvidenceBook.version)
        }
        return writer.take()
    }

    private static func write(
        _ entry: Evidence,
        of endpoint: Endpoint,
        to writer: inout BencodeWriter,
        _ seconds: (Instant) -> Int64
    ) {
        var address = ByteWriter(capacity: 18)
        endpoint.writeCompact(to: &address)
        writer.dictionary {
            $0.key("a")
            $0.string(address.bytes)
            if let first = entry.firstFailureAt {
                $0.key("f")
                $0.integer(entry.failures)
                $0.key("g")
                $0.integer(seconds(first))
            }
            $0.key("k")
            $0.string(entry.key.bytes)
            $0.key("s")
            $0.integer(seconds(entry.seenAt))
            if let until = entry.provedUntil {
                $0.key("u")
                $0.integer(seconds(until))
            }
        }
    }

    // MARK: Reading

    /// Takes up what `encoded` gave, as a whole or not at all. What is no longer valid is left out, and no time in the file
    /// makes anything last longer than if it had been learned now.
    package init(
        _ bytes: RawSpan,
        limits: EvidenceLimits = EvidenceLimits(),
        _ clock: WallClock,
        at now: Instant
    ) throws(FileFault) {
        self.init(limits: limits)
        let file: (version: Int64, entries: [Fields])
        do throws(BencodeError) {
            file = try EvidenceBook.read(bytes)
        } catch {
            throw .malformed(error)
        }
        guard file.version == EvidenceBook.version else { throw .unknownVersion(file.version) }
        // The latest came first, and is the last to make room.
        for (index, fields) in file.entries.enumerated().reversed() {
            guard let (endpoint, entry) = fields.entry(limits, clock, at: now) else { throw .badEntry(index) }
            if isValid(entry, at: now) { enter(entry, endpoint) }
        }
    }

    /// An entry as the file has it.
    private struct Fields {
        var endpoint: Endpoint?
        var key: Ed25519.PublicKey?
        var failures: Int64?
        var firstFailure: Int64?
        var seen: Int64?
        var provedUntil: Int64?

        /// `nil` where it is none that we would write.
        func entry(_ limits: EvidenceLimits, _ clock: WallClock, at now: Instant) -> (Endpoint, Evidence)? {
            guard let endpoint, endpoint.port != 0, !endpoint.address.isReserved, let key, let seen,
                (failures == nil) == (firstFailure == nil), 1...Int64(limits.failures) ~= failures ?? 1
            else { return nil }
            /// Saturates, and a clock that was set back makes nothing of the past lie ahead.
            func instant(_ unixSeconds: Int64, noLaterThan latest: Instant) -> Instant {
                let (ahead, overflow) = unixSeconds.subtractingReportingOverflow(clock.unixMilliseconds(at: now) / 1000)
                return overflow ? (unixSeconds < 0 ? .zero : latest) : min(latest, now + .seconds(ahead))
            }
            var entry = Evidence(key: key, seenAt: instant(seen, noLaterThan: now))
            entry.provedUntil = provedUntil.map { instant($0, noLaterThan: now + limits.freshness) }
            entry.failures = failures.map { Int($0) } ?? 0
            entry.firstFailureAt = firstFailure.map { instant($0, noLaterThan: now) }
            return (endpoint, entry)
        }
    }

    private static func read(_ bytes: RawSpan) throws(BencodeError) -> (version: Int64, entries: [Fields]) {
        var reader = BencodeReader(bytes, limits: bencodeLimits)
        var file: (version: Int64, entries: [Fields]) = (0, [])
        try reader.beginDictionary()
        while let key = try reader.nextKey() {
            if reader.matches(key, "e") {
                try reader.beginList()
                while try reader.hasElement() { file.entries.append(try readEntry(&reader)) }
            } else if reader.matches(key, "v") {
                file.version = try reader.integer()
            } else {
                try reader.skipValue()
            }
        }
        try reader.finish()
        return file
    }

    private static func readEntry(_ reader: inout BencodeReader) throws(BencodeError) -> Fields {
        var fields = Fields()
        try reader.beginDictionary()
        while let key = try reader.nextKey() {
            if reader.matches(key, "a") {
                fields.endpoint = Endpoint(compact: reader.slice(try reader.string()))
            } else if reader.matches(key, "f") {
                fields.failures = try reader.integer()
            } else if reader.matches(key, "g") {
                fields.firstFailure = try reader.integer()
            } else if reader.matches(key, "k") {
                let bytes = try reader.string()
                if bytes.count == Ed25519.PublicKey.byteCount { fields.key = Ed25519.PublicKey(reader.slice(bytes)) }
            } else if reader.matches(key, "s") {
                fields.seen = try reader.integer()
            } else if reader.matches(key, "u") {
                fields.provedUntil = try reader.integer()
            } else {
                try reader.skipValue()
            }
        }
        return fields
    }
}
