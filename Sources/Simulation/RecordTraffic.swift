package import Availability
import Cryptography
import Kademlia
package import Primitives

/// What it costs to say which pieces one holds, and to hear it from others, in a network of our own nodes.
///
/// Two networks of one seed run for an hour: in one of them a host publishes and another one reads. What both do within the
/// seconds after that is the same besides, so the difference is the cost.
package struct RecordTraffic {
    package struct Plan: Hashable, Sendable {
        /// Records that are published within the hour, the first at once; the others at even distances.
        package var puts = 2
        /// How many searches for records the reader makes within the hour.
        package var searches = 12

        package init() {}
    }

    /// What one host, or all of them, sent and received more than without records.
    package struct Cost: Hashable, Sendable {
        package var packets = 0
        package var bytes = 0
    }

    package struct Result: Sendable {
        package var publisher = Cost()
        package var reader = Cost()
        /// Sent by all hosts.
        package var network = Cost()
        /// Nodes that took a record, and searches that found the last one; out of how many.
        package var storedOn: [Int] = []
        package var found = 0
        package var proved = false
        package var overlayNodes = 0
    }

    /// - Parameters:
    ///   - content: what the record of each put says.
    /// - Throws: where a record cannot be signed.
    package static func run(
        _ plan: Plan,
        in configuration: DHTSimulation.Configuration,
        of infoHash: InfoHash,
        _ content: (_ number: Int) -> RecordContent
    ) throws(RecordFault) -> Result {
        var quiet = DHTSimulation(configuration)
        var busy = DHTSimulation(configuration)
        let (publisher, reader) = (configuration.nodes / 3, configuration.nodes / 2)
        // The overlay finds itself, whatever is published later.
        quiet.run(for: .seconds(1800))
        busy.run(for: .seconds(1800))
        var more = Traffic()
        var before: (quiet: Traffic, busy: Traffic)?
        guard let key = busy.key(of: publisher) else { throw .signature }
        var puts: [LookupID] = []
        var searches: [LookupID] = []
        for second in 0..<3600 {
            let isPutDue = plan.puts > 0 && second % (3600 / plan.puts) == 0
            let isSearchDue = plan.searches > 0 && second % (3600 / plan.searches) == 60
            if isPutDue || isSearchDue {
                before = (Traffic(quiet, publisher, reader), Traffic(busy, publisher, reader))
            }
            if isPutDue, puts.count < plan.puts {
                let sequence = DHTSimulation.epoch + busy.now.nanoseconds / 1_000_000
                let record = try AvailabilityRecord(
                    signing: content(puts.count),
                    of: infoHash,
                    sequence: sequence,
                    with: key
                )
                puts.append(busy.publish(record, from: publisher))
            }
            if isSearchDue, searches.count < plan.searches {
                searches.append(busy.findRecords(of: infoHash, from: reader))
            }
            quiet.run(for: .seconds(1))
            busy.run(for: .seconds(1))
            if let start = before, second % (3600 / max(plan.puts, plan.searches)) % 60 == window {
                more += Traffic(busy, publisher, reader) - start.busy
                more -= Traffic(quiet, publisher, reader) - start.quiet
                before = nil
            }
        }
        var result = Result(publisher: more.publisher, reader: more.reader, network: more.network)
        let published = busy.findings(of: publisher)
        let read = busy.findings(of: reader)
        result.storedOn = puts.map { published.summaries[$0]?.storedOn ?? 0 }
        result.found = searches.count { read.records[$0]?.isEmpty == false }
        result.proved = read.provedKeys.keys.contains(DHTSimulation.endpoint(of: publisher))
        result.overlayNodes = busy.overlayNodeCount(of: publisher)
        return result
    }

    /// Seconds after a put or a search in which all of its datagrams have come.
    private static let window = 10

    private struct Traffic {
        var publisher = Cost()
        var reader = Cost()
        var network = Cost()

        init() {}

        init(_ network: DHTSimulation, _ publisher: Int, _ reader: Int) {
            self.publisher = Cost(of: network.statistics(of: publisher))
            self.reader = Cost(of: network.statistics(of: reader))
            self.network = Cost(packets: network.network.datagramsCarried, bytes: network.network.bytesCarried)
        }

        static func - (left: Traffic, right: Traffic) -> Traffic {
            var difference = left
            difference -= right
            return difference
        }

        static func -= (left: inout Traffic, right: Traffic) {
            left.publisher -= right.publisher
            left.reader -= right.reader
            left.network -= right.network
        }

        static func += (left: inout Traffic, right: Traffic) { left -= Traffic() - right }
    }
}

extension RecordTraffic.Cost {
    /// All that a host sent and received.
    fileprivate init(of statistics: DHTStatistics) {
        packets = statistics.datagramsSent + statistics.datagramsReceived
        bytes = statistics.bytesSent + statistics.bytesReceived
    }

    fileprivate static func -= (left: inout Self, right: Self) {
        left.packets -= right.packets
        left.bytes -= right.bytes
    }
}
