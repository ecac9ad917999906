import Cryptography
import Primitives
import Testing

@testable import SecurePeer

private let start = Instant.zero + .seconds(1_000_000)
private let clock = WallClock(unixMilliseconds: 1_700_000_000_000, at: start)
private let peer = Endpoint(.v4(0xc000_0209), 6881)

/// A key that nobody holds the other half of.
private func key(_ number: UInt64) -> Ed25519.PublicKey {
    Ed25519.PublicKey(UInt256(first: number, second: 2, third: 3, fourth: 4))
}

private func endpoint(_ network: UInt32, _ host: UInt32 = 1, port: UInt16 = 6881) -> Endpoint {
    Endpoint(.v4(0x0b00_0000 | network << 8 | host), port)
}

@Suite("Evidence: who is dialled with SPS/1")
struct EvidenceBookTests {
    private func plan(
        _ book: EvidenceBook,
        _ policy: SecurePolicy = .prefer,
        requiresSecure: Bool = false,
        pin: Ed25519.PublicKey? = nil,
        after age: Duration = .zero
    ) -> DialPlan {
        book.dialPlan(for: peer, policy: policy, requiresSecure: requiresSecure, pin: pin, at: start + age)
    }

    @Test("without evidence prefer and off dial plain, require does not")
    func withoutEvidence() {
        let book = EvidenceBook()

        #expect(plan(book, .prefer) == .plain)
        #expect(plan(book, .off) == .plain)
        #expect(plan(book, .require) == .secure(expecting: nil, mayFallBack: false))
        #expect(plan(book, .prefer, requiresSecure: true) == .secure(expecting: nil, mayFallBack: false))
    }

    @Test("what an endpoint itself showed is insisted on for seven days, and its neighbour is not meant")
    func insistsForSevenDays() {
        for source in [EvidenceBook.Source.session, .announcement] {
            var book = EvidenceBook()
            book.learned(key(1), at: peer, by: source, at: start)

            #expect(plan(book) == .secure(expecting: nil, mayFallBack: false))
            #expect(plan(book, after: .seconds(7 * 86_400 - 1)) == .secure(expecting: nil, mayFallBack: false))
            #expect(plan(book, after: .seconds(7 * 86_400)) == .plain)
            #expect(plan(book, .off) == .plain)
            let neighbour = Endpoint(peer.address, 6882)
            #expect(book.dialPlan(for: neighbour, policy: .prefer, at: start) == .plain)
        }
    }

    @Test("a key that a record proved is expected until the record expires, and SPS/1 insisted on for the seven days")
    func expectsProvedKey() {
        var book = EvidenceBook()
        book.learned(key(1), at: peer, by: .proof(until: start + .seconds(3600)), at: start)

        #expect(plan(book) == .secure(expecting: key(1), mayFallBack: false))
        #expect(plan(book, .require) == .secure(expecting: key(1), mayFallBack: false))
        #expect(plan(book, after: .seconds(3600)) == .secure(expecting: nil, mayFallBack: false))
        #expect(plan(book, after: .seconds(7 * 86_400)) == .plain)
    }

    @Test("no record binds for longer than seven days")
    func proofIsBounded() {
        var book = EvidenceBook()
        book.learned(key(1), at: peer, by: .proof(until: .distantFuture), at: start)

        #expect(plan(book, after: .seconds(7 * 86_400 - 1)) == .secure(expecting: key(1), mayFallBack: false))
        #expect(plan(book, after: .seconds(7 * 86_400)) == .plain)
    }

    @Test("a session with the same key leaves its record in force, one with another key does not")
    func sessionKeepsProof() {
        var book = EvidenceBook()
        book.learned(key(1), at: peer, by: .proof(until: start + .seconds(3600)), at: start)

        book.learned(key(1), at: peer, by: .session, at: start)
        #expect(plan(book) == .secure(expecting: key(1), mayFallBack: false))

        book.learned(key(2), at: peer, by: .session, at: start)
        #expect(plan(book) == .secure(expecting: nil, mayFallBack: false))
    }

    @Test("a key said in plain takes nothing from one that is proved")
    func announcementDoesNotReplaceProof() {
        var book = EvidenceBook()
        book.learned(key(1), at: peer, by: .proof(until: start + .seconds(3600)), at: start)
        book.learned(key(2), at: peer, by: .announcement, at: start)
        #expect(plan(book) == .secure(expecting: key(1), mayFallBack: false))

        book.learned(key(2), at: peer, by: .announcement, at: start + .seconds(3600))
        #expect(book.endpoints(of: key(2), at: start + .seconds(3600)) == [peer])
    }

    @Test("pins win over everything: policy off, other evidence, failures and time")
    func pinsWin() {
        var book = EvidenceBook()
        book.learned(key(2), at: peer, by: .proof(until: start + .seconds(3600)), at: start)
        book.learned(key(1), at: peer, by: .pin, at: start)
        for minute in 0..<5 { book.failed(at: peer, at: start + .seconds(minute * 1800)) }

        for policy in [SecurePolicy.prefer, .require, .off] {
            #expect(plan(book, policy) == .secure(expecting: key(1), mayFallBack: false))
            // The `sp` of a plain connection is somebody's word, and may be that of a man in the middle.
            #expect(plan(book, policy, pin: key(3)) == .secure(expecting: key(1), mayFallBack: false))
        }
        #expect(plan(book, after: .seconds(30 * 86_400)) == .secure(expecting: key(1), mayFallBack: false))

        book.forget(peer)
        #expect(plan(book) == .plain)
        #expect(plan(book, pin: key(3)) == .secure(expecting: key(3), mayFallBack: false))
    }

    @Test(
        "who has proved a key and says in its record that it speaks plain only is dialled so; another key says nothing"
    )
    func declined() {
        var book = EvidenceBook()
        book.learned(key(1), at: peer, by: .proof(until: start + .seconds(900)), at: start)
        book.declined(key(2), at: peer)
        #expect(plan(book) == .secure(expecting: key(1), mayFallBack: false))
        book.declined(key(1), at: peer)
        #expect(plan(book) == .plain)
    }

    @Test("hearsay is tried first, with plain allowed after, and is gone once it fails")
    func hearsay() {
        var book = EvidenceBook()
        book.learned(key(1), at: peer, by: .hearsay, at: start)

        #expect(plan(book) == .secure(expecting: nil, mayFallBack: true))
        #expect(plan(book, .off) == .plain)
        #expect(plan(book, .require) == .secure(expecting: nil, mayFallBack: false))
        #expect(plan(book, requiresSecure: true) == .secure(expecting: nil, mayFallBack: false))
        #expect(!book.isEvident(peer, at: start))

        book.failed(at: peer, at: start)
        #expect(plan(book) == .plain)
    }

    @Test("hearsay takes nothing from evidence")
    func hearsayDoesNotReplaceEvidence() {
        var book = EvidenceBook()
        book.learned(key(1), at: peer, by: .proof(until: start + .seconds(3600)), at: start)
        book.learned(key(2), at: peer, by: .hearsay, at: start)

        #expect(plan(book) == .secure(expecting: key(1), mayFallBack: false))
        book.failed(at: peer, at: start)
        #expect(plan(book) == .secure(expecting: key(1), mayFallBack: false))
    }

    @Test(
        "evidence goes with the third failure that comes more than an hour after the first",
        arguments: [
            ([0, 3600, 3601], true), ([0, 1, 3600], false), ([0, 3601], false), ([0, 60, 120, 180, 3601], true),
            ([0, 60, 120], false),
        ]
    )
    func failures(at seconds: [Int], isGone: Bool) {
        var book = EvidenceBook()
        book.learned(key(1), at: peer, by: .session, at: start)
        for second in seconds { book.failed(at: peer, at: start + .seconds(second)) }

        let insists = DialPlan.secure(expecting: nil, mayFallBack: false)
        #expect(plan(book, after: .seconds(7200)) == (isGone ? .plain : insists))
    }

    @Test("no failure counts while a record has not expired, and the count begins anew with a session")
    func failuresAgainstProof() {
        var book = EvidenceBook()
        let hours = { start + .seconds(3600 * $0) }
        book.learned(key(1), at: peer, by: .proof(until: hours(9)), at: start)
        for hour in 0..<9 { book.failed(at: peer, at: hours(hour)) }
        #expect(book.isEvident(peer, at: hours(9)))

        // What it says of itself does not show that a session can be had.
        book.learned(key(1), at: peer, by: .announcement, at: hours(9))
        book.failed(at: peer, at: hours(9))
        #expect(!book.isEvident(peer, at: hours(9)))

        book.learned(key(1), at: peer, by: .session, at: hours(9))
        for hour in [10, 11] { book.failed(at: peer, at: hours(hour)) }
        book.learned(key(1), at: peer, by: .session, at: hours(12))
        for hour in [13, 14] { book.failed(at: peer, at: hours(hour)) }
        #expect(book.isEvident(peer, at: hours(14)))
        book.failed(at: peer, at: hours(15))
        #expect(!book.isEvident(peer, at: hours(15)))
    }

    @Test("a key is found where it was met last")
    func endpointsOfKey() {
        var book = EvidenceBook()
        for number: UInt32 in 1...3 {
            book.learned(key(1), at: endpoint(number), by: .session, at: start + .seconds(number))
        }
        book.learned(key(2), at: endpoint(4), by: .session, at: start)

        #expect(book.endpoints(of: key(1), at: start + .seconds(3)) == [endpoint(3), endpoint(2), endpoint(1)])
        #expect(book.endpoints(of: key(1), at: start + .seconds(7 * 86_400 + 1)) == [endpoint(3), endpoint(2)])
    }

    @Test("who shows one key at a hundred ports drives out himself alone")
    func oneKeyManyPorts() {
        var book = EvidenceBook()
        book.learned(key(1), at: peer, by: .session, at: start)
        for port: UInt16 in 1...100 {
            book.learned(key(2), at: endpoint(1, port: port), by: .session, at: start + .seconds(Int(port)))
        }

        #expect(book.count == 1 + EvidenceLimits().endpointsOfKey)
        #expect(book.endpoints(of: key(2), at: start + .seconds(100)).map(\.port) == (93...100).reversed())
        #expect(book.isEvident(peer, at: start))
    }

    @Test("who fills the book from one network, with a key for each port, drives out himself alone")
    func oneNetworkManyKeys() {
        var limits = EvidenceLimits()
        limits.endpoints = 32
        var book = EvidenceBook(limits: limits)
        for network: UInt32 in 1...16 {
            book.learned(key(UInt64(network)), at: endpoint(network), by: .session, at: start)
        }
        for port: UInt16 in 1...1000 {
            book.learned(key(1000 + UInt64(port)), at: endpoint(99, port: port), by: .session, at: start + .seconds(1))
        }

        #expect(book.count == 32)
        for network: UInt32 in 1...16 { #expect(book.isEvident(endpoint(network), at: start)) }
        #expect(book.isEvident(endpoint(99, port: 1000), at: start))
    }

    @Test("what is forgotten leaves its network no more crowded than it is")
    func forgottenMakesRoom() {
        var limits = EvidenceLimits()
        limits.endpoints = 4
        var book = EvidenceBook(limits: limits)
        for port: UInt16 in 1...3 {
            book.learned(key(UInt64(port)), at: endpoint(99, port: port), by: .session, at: start)
        }
        for port: UInt16 in 1...3 { book.forget(endpoint(99, port: port)) }
        for network: UInt32 in 1...5 {
            book.learned(key(UInt64(network)), at: endpoint(network), by: .session, at: start + .seconds(network))
        }
        #expect(book.count == 4)
        #expect((1...5).map { book.isEvident(endpoint($0), at: start) } == [false, true, true, true, true])
    }

    @Test("hearsay is bounded, and cannot drive out evidence")
    func hearsayIsBounded() {
        var limits = EvidenceLimits()
        (limits.hearsay, limits.endpoints) = (4, 4)
        var book = EvidenceBook(limits: limits)
        book.learned(key(1), at: peer, by: .session, at: start)
        for network: UInt32 in 1...100 { book.learned(key(2), at: endpoint(network), by: .hearsay, at: start) }

        #expect(plan(book) == .secure(expecting: nil, mayFallBack: false))
        #expect(book.dialPlan(for: endpoint(96), policy: .prefer, at: start) == .plain)
        #expect(
            book.dialPlan(for: endpoint(97), policy: .prefer, at: start) == .secure(expecting: nil, mayFallBack: true)
        )
    }
}

@Suite("Evidence: the file")
struct EvidenceFileTests {
    private func read(_ bytes: [UInt8], at now: Instant = start, clock: WallClock = clock) throws -> [UInt8] {
        let book = try EvidenceBook(bytes.span.bytes, clock, at: now)
        return book.encoded(clock, at: now)
    }

    private func entry(_ inner: String, key: String = String(repeating: "k", count: 32)) -> [UInt8] {
        Array("d1:eld\(inner)1:k32:\(key)1:si1700000000eee1:vi1ee".utf8)
    }

    @Test("a book reads what it wrote: keys, proofs, failures; not pins and hearsay")
    func roundTrip() throws {
        var book = EvidenceBook()
        let v6 = try #require(Endpoint("[2001:db8::1]:51413"))
        book.learned(key(1), at: peer, by: .session, at: start)
        book.learned(key(2), at: v6, by: .proof(until: start + .seconds(3600)), at: start + .seconds(5))
        for hour in [0, 1] { book.failed(at: peer, at: start + .seconds(3600 * hour)) }
        book.learned(key(3), at: endpoint(1), by: .pin, at: start)
        book.learned(key(4), at: endpoint(2), by: .hearsay, at: start)
        let bytes = book.encoded(clock, at: start + .seconds(5))

        // A later run has another clock that begins at zero.
        let later = Instant.zero
        let laterClock = WallClock(unixMilliseconds: 1_700_000_005_000, at: later)
        var copy = try EvidenceBook(bytes.span.bytes, laterClock, at: later)
        #expect(copy.count == 2)
        #expect(copy.encoded(laterClock, at: later) == bytes)
        #expect(copy.dialPlan(for: v6, policy: .prefer, at: later) == .secure(expecting: key(2), mayFallBack: false))
        #expect(copy.dialPlan(for: endpoint(1), policy: .prefer, at: later) == .plain)
        copy.failed(at: peer, at: later + .seconds(3600))
        #expect(!copy.isEvident(peer, at: later + .seconds(3600)))
    }

    @Test("the bytes of one entry")
    func bytes() throws {
        let bytes = entry("1:a6:\u{5b}\u{00}\u{02}\u{09}\u{1a}\u{61}")
        #expect(try read(bytes) == bytes)
    }

    @Test("what is stale is not written, and what a file says lasts no longer than if it were learned now")
    func timesAreBounded() throws {
        var book = EvidenceBook()
        book.learned(key(1), at: peer, by: .session, at: start)
        #expect(book.encoded(clock, at: start + .seconds(7 * 86_400)) == Array("d1:ele1:vi1ee".utf8))

        let text = "d1:eld1:a6:\u{5b}\u{00}\u{02}\u{09}\u{1a}\u{61}1:k32:\(String(repeating: "k", count: 32))"
        let endless = Array("\(text)1:si\(Int64.max)e1:ui\(Int64.max)eee1:vi1ee".utf8)
        let endpoint = Endpoint(.v4(0x5b00_0209), 6753)
        var read = try EvidenceBook(endless.span.bytes, clock, at: start)
        #expect(read.isEvident(endpoint, at: start + .seconds(7 * 86_400 - 1)))
        #expect(!read.isEvident(endpoint, at: start + .seconds(7 * 86_400)))

        let ancient = Array("\(text)1:si\(Int64.min)e1:ui\(Int64.min)eee1:vi1ee".utf8)
        read = try EvidenceBook(ancient.span.bytes, clock, at: start)
        #expect(read.count == 0)
    }

    @Test(
        "an entry that we would not write is refused with its number",
        arguments: [
            "", "1:a5:abcde", "1:a6:abcd\u{00}\u{00}", "1:a6:\u{00}bcdef", "1:a6:abcdef1:fi1e",
            "1:a6:abcdef1:gi1e", "1:a6:abcdef1:fi0e1:gi1e", "1:a6:abcdef1:fi4e1:gi1e",
        ]
    )
    func badEntries(inner: String) {
        #expect(throws: EvidenceBook.FileFault.badEntry(0)) { try read(entry(inner)) }
    }

    @Test("another version, keys out of order, a key twice, and bytes behind the end are refused")
    func strictness() throws {
        #expect(throws: EvidenceBook.FileFault.unknownVersion(2)) { try read(Array("d1:ele1:vi2ee".utf8)) }
        #expect(throws: EvidenceBook.FileFault.unknownVersion(0)) { try read(Array("de".utf8)) }
        for text in ["", "d1:vi1e1:elee", "d1:ele1:ele1:vi1ee", "d1:ele1:vi1eex", "d1:elllleeee1:vi1ee"] {
            #expect(throws: EvidenceBook.FileFault.self) { try read(Array(text.utf8)) }
        }
        let short = Array("d1:eld1:a6:abcdef1:k31:\(String(repeating: "k", count: 31))1:si1eee1:vi1ee".utf8)
        #expect(throws: EvidenceBook.FileFault.badEntry(0)) { try read(short) }
        let long = [UInt8](repeating: UInt8(ascii: "0"), count: EvidenceBook.mostBytes + 1)
        #expect(throws: EvidenceBook.FileFault.self) { try read(long) }
    }

    @Test("a full book fits its file")
    func fullBookFits() throws {
        let limits = EvidenceLimits()
        var book = EvidenceBook()
        for number in 0..<UInt64(limits.endpoints) {
            let address = IPAddress.v6(high: 0x2001_0db8_0000_0000 | number << 16, low: 1)
            let source = EvidenceBook.Source.proof(until: start + .seconds(86_400))
            book.learned(key(number), at: Endpoint(address, 6881), by: source, at: start)
            book.failed(at: Endpoint(address, 6881), at: start)
        }
        let bytes = book.encoded(clock, at: start)
        #expect(bytes.count < EvidenceBook.mostBytes)
        #expect(try EvidenceBook(bytes.span.bytes, clock, at: start).count == limits.endpoints)
    }

    @Test("where there is room for fewer than a file has, the latest stay")
    func smallerBook() throws {
        var book = EvidenceBook()
        for number: UInt32 in 1...4 {
            book.learned(key(UInt64(number)), at: endpoint(number), by: .session, at: start + .seconds(number))
        }
        let later = start + .seconds(9)
        var limits = EvidenceLimits()
        limits.endpoints = 2
        let read = try EvidenceBook(book.encoded(clock, at: later).span.bytes, limits: limits, clock, at: later)
        #expect((1...4).map { read.isEvident(endpoint($0), at: later) } == [false, false, true, true])
    }

    @Test("rubbish makes an error or a small book, never a trap", arguments: UInt64(1)...20)
    func rubbish(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var book = EvidenceBook()
        for number: UInt32 in 1...8 {
            let until = start + .seconds(Int(number) * 3600)
            book.learned(key(UInt64(number)), at: endpoint(number), by: .proof(until: until), at: start)
            book.failed(at: endpoint(number), at: start)
        }
        let good = book.encoded(clock, at: start)
        for _ in 0..<500 {
            var bytes = good
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: index)
                default: bytes.insert(UInt8(ascii: "9"), at: index)
                }
            }
            // The error is as good an answer as the book.
            if let read = try? EvidenceBook(bytes.span.bytes, clock, at: start) { #expect(read.count <= 9) }
        }
    }
}
