import Primitives
import Testing

@testable import Kademlia

@Suite("Scrape filters")
struct ScrapeFilterTests {
    /// The vector of BEP 33: 192.0.2.0 to 192.0.2.255 and 2001:db8:: to 2001:db8::3e7.
    static var published: ScrapeFilter {
        var filter = ScrapeFilter()
        for host in 0..<256 as Range<UInt32> { filter.insert(.v4(0xc000_0200 + host)) }
        for host in 0..<1000 as Range<UInt64> { filter.insert(.v6(high: 0x2001_0db8_0000_0000, low: host)) }
        return filter
    }

    static let publishedBytes = """
        F6C3F5EAA07FFD91BDE89F777F26FB2BFF37BDB8FB2BBAA2FD3DDDE7BACFFF75EE7CCBAEFE5EEDB1FBFAFF67F6ABFF5E43DDBCA3\
        FD9B9FFDF4FFD3E9DFF12D1BDF59DB53DBE9FA5B7FF3B8FDFCDE1AFB8BEDD7BE2F3EE71EBBBFE93BCDEEFE148246C2BC5DBFF7E7\
        EFDCF24FD8DC7ADFFD8FFFDFDDFFF7A4BBEEDF5CB95CE81FC7FCFF1FF4FFFFDFE5F7FDCBB7FD79B3FA1FC77BFE07FFF905B7B7FF\
        C7FEFEFFE0B8370BB0CD3F5B7F2BD93FEB4386CFDD6F7FD5BFAF2E9EBFFFFEECD67ADBF7C67F17EFD5D75EBA6FFEBA7FFF47A91E\
        B1BFBB53E8ABFB5762ABE8FF237279BFEFBFEEF5FFC5FEBFDFE5ADFFADFEE1FB737FFFFBFD9F6AEFFEEE76B6FD8F72EF
        """

    static func bytes(_ filter: ScrapeFilter) -> [UInt8] {
        var writer = ByteWriter()
        filter.write(to: &writer)
        return writer.bytes
    }

    static func filter(_ hosts: Range<UInt32>) -> ScrapeFilter {
        var filter = ScrapeFilter()
        for host in hosts { filter.insert(.v4(0x1400_0000 + host)) }
        return filter
    }

    @Test("the vector of BEP 33: every byte, and the estimate 1224.9308")
    func vector() throws {
        let filter = ScrapeFilterTests.published
        #expect(ScrapeFilterTests.bytes(filter) == Hex.decode(ScrapeFilterTests.publishedBytes))
        #expect(abs(filter.estimate - 1224.9308) < 0.0001)
        #expect(ScrapeFilter(ScrapeFilterTests.bytes(filter).span.bytes) == filter)
    }

    @Test("an empty filter counts nobody, and a full one what it can at most")
    func extremes() {
        #expect(ScrapeFilter().estimate == 0)
        let full = ScrapeFilter([UInt8](repeating: 0xff, count: 256).span.bytes)
        #expect((7800.0...7810.0).contains(full?.estimate ?? 0))
    }

    @Test("another length is no filter", arguments: [0, 1, 255, 257, 512])
    func lengths(count: Int) {
        #expect(ScrapeFilter([UInt8](repeating: 0, count: count).span.bytes) == nil)
    }

    @Test("the same address counts once, and a union counts all", arguments: [1, 10, 100, 1000] as [UInt32])
    func union(count: UInt32) {
        var filter = ScrapeFilterTests.filter(0..<count)
        filter.formUnion(ScrapeFilterTests.filter(0..<count))
        #expect(abs(filter.estimate / Double(count) - 1) < 0.06)
        filter.formUnion(ScrapeFilterTests.filter(count..<count * 2))
        #expect(abs(filter.estimate / Double(count * 2) - 1) < 0.06)
        #expect((0..<count * 2).allSatisfy { filter.mayContain(.v4(0x1400_0000 + $0)) })
        #expect(!ScrapeFilterTests.filter(0..<1).mayContain(.v4(0x1400_0001)))
    }

    @Test("a node that claims thousands is left out where others know tens")
    func boaster() {
        var scrape = Scrape(limits: SharedLimits())
        for start in [0, 10, 20] as [UInt32] {
            scrape.add(seeds: ScrapeFilterTests.filter(start..<start + 20), peers: ScrapeFilter())
        }
        scrape.add(seeds: ScrapeFilterTests.filter(5000..<8000), peers: ScrapeFilter())
        scrape.add(seeds: ScrapeFilterTests.filter(5000..<15_000), peers: ScrapeFilter())
        let summary = scrape.summary
        #expect((38.0...42.0).contains(summary.seeds))
        #expect(summary.peers == 0)
        #expect(summary.sources == 3)
        #expect(summary.refused == 2)
    }

    @Test("peers of nodes without filters count as peers, unless they are known as seeds (BEP 33)")
    func legacy() {
        var scrape = Scrape(limits: SharedLimits())
        scrape.add(seeds: ScrapeFilterTests.filter(0..<2), peers: ScrapeFilter())
        scrape.add(named: [.at("20.0.0.0:1"), .at("20.0.0.1:2"), .at("20.0.0.9:3"), .at("20.0.0.9:4")])
        scrape.add(named: [])
        let summary = scrape.summary
        #expect(summary.seeds.rounded() == 2)
        #expect(summary.peers.rounded() == 1)
        #expect(summary.sources == 2)
    }

    @Test("at most 64 filters are kept")
    func manyFilters() {
        var scrape = Scrape(limits: SharedLimits())
        for _ in 0..<70 { scrape.add(seeds: ScrapeFilterTests.filter(0..<1), peers: ScrapeFilter()) }
        #expect(scrape.summary.sources == 64)
        #expect(scrape.summary.refused == 6)
    }
}
