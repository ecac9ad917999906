import Availability
import Kademlia
import Primitives
import Simulation
import Testing

@Suite("Records in a simulated network of our own nodes")
struct RecordTests {
    @Test("what one host publishes another one finds, with proof of where it is")
    func publishedAndFound() throws {
        var configuration = DHTSimulation.Configuration(seed: 3)
        configuration.nodes = 30
        configuration.areOwnKind = true
        var network = DHTSimulation(configuration)
        network.run(for: .seconds(120))
        #expect((0..<30).allSatisfy { network.overlayNodeCount(of: $0) >= 8 })
        let infoHash = InfoHash(UInt160(high: 0x0123_4567_89ab_cdef, middle: 1, low: 2))
        let blob = try #require(HaveBlob(Bitfield(filled: 2000)))
        let key = try #require(network.key(of: 7))
        let record = try AvailabilityRecord(
            signing: RecordContent(blob, heldCount: 2000, port: 6881),
            of: infoHash,
            sequence: DHTSimulation.epoch + 120_000,
            with: key
        )
        let publishing = network.publish(record, from: 7)
        network.run(for: .seconds(10))
        #expect((network.findings(of: 7).summaries[publishing]?.storedOn ?? 0) >= 8)
        let search = network.findRecords(of: infoHash, from: 20)
        network.run(for: .seconds(10))
        let findings = network.findings(of: 20)
        #expect(findings.records[search]?.map(\.record) == [record])
        #expect(findings.provedKeys[DHTSimulation.endpoint(of: 7)] == record.key)
        #expect(findings.summaries[search]?.outcome == .complete)
    }
}
