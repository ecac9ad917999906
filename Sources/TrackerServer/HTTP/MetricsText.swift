import HTTPServer
import TrackerProtocol

/// The counters of a tracker in Prometheus' text format (version 0.0.4).
struct MetricsText {
    private(set) var text = ""

    init(_ core: TrackerCore, http: HTTPCounters, connections: Int) {
        let counters = core.registry.counters
        let totals = core.registry.totals
        family("announces_total", "counter", "Announces that were answered.")
        for transport in TrackerTransport.allCases {
            for (event, word) in MetricsText.events {
                sample(
                    "announces_total",
                    "proto=\"\(transport.label)\",event=\"\(word)\"",
                    counters.announces(transport, event)
                )
            }
        }
        family("scrapes_total", "counter", "Scrapes that were answered.")
        for transport in TrackerTransport.allCases {
            sample("scrapes_total", "proto=\"\(transport.label)\"", counters.scrapes(transport))
        }
        family("failures_total", "counter", "Announces and scrapes that were refused.")
        for failure in TrackerFailure.allCases {
            sample("failures_total", "reason=\"\(failure.label)\"", counters.failures(failure))
        }
        family("udp_connects_total", "counter", "UDP connects that were answered.")
        sample("udp_connects_total", nil, counters.connects)
        family("udp_ignored_total", "counter", "Datagrams that got no answer.")
        sample("udp_ignored_total", nil, counters.ignored)
        family("swarms", "gauge", "Torrents that somebody shares or fetches.")
        sample("swarms", nil, core.registry.swarmCount)
        family("peers", "gauge", "Peers that announced within two intervals.")
        sample("peers", "kind=\"seeder\"", totals.seeds)
        sample("peers", "kind=\"leecher\"", totals.leechers)
        family("bytes", "gauge", "Bytes of have-blobs that are kept.")
        sample("bytes", "kind=\"holders\"", core.registry.holderBytes)
        add(http, connections)
    }

    private static let events: [(AnnounceRequest.Event, String)] = [
        (.interval, "none"), (.started, "started"), (.completed, "completed"), (.stopped, "stopped"),
    ]

    private mutating func add(_ http: HTTPCounters, _ connections: Int) {
        family("http_connections", "gauge", "HTTP connections that are open.")
        sample("http_connections", nil, connections)
        family("http_connections_total", "counter", "HTTP connections by what became of them.")
        sample("http_connections_total", "fate=\"accepted\"", http.connections)
        sample("http_connections_total", "fate=\"refused\"", http.refusedConnections)
        sample("http_connections_total", "fate=\"displaced\"", http.displacedConnections)
        sample("http_connections_total", "fate=\"expired\"", http.expiredConnections)
        family("http_requests_total", "counter", "HTTP requests.")
        sample("http_requests_total", nil, http.requests)
        family("http_rejected_total", "counter", "HTTP requests that broke a limit of HTTP.")
        sample("http_rejected_total", nil, http.rejectedRequests)
    }

    private mutating func family(_ name: String, _ type: String, _ sentence: String) {
        text += "# HELP shoal_tracker_\(name) \(sentence)\n# TYPE shoal_tracker_\(name) \(type)\n"
    }

    private mutating func sample(_ name: String, _ labels: String?, _ value: Int) {
        text += "shoal_tracker_\(name)\(labels.map { "{\($0)}" } ?? "") \(value)\n"
    }
}
