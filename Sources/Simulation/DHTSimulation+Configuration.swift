package import Kademlia
import Primitives

extension DHTSimulation {
    package struct Configuration: Hashable, Sendable {
        /// How the network comes about.
        package enum Beginning: Hashable, Sendable {
            /// Nodes start one after the other, so far apart, and join through node 0.
            case joining(every: Duration)
            /// All nodes have been there for a while.
            case established(Standing)
        }

        /// What the nodes of a network know that has stood for a while.
        package struct Standing: Hashable, Sendable {
            /// How many of a hundred table entries lead to hosts that have left.
            package var deadPercent = 15
            /// How many of a hundred hosts behind address translation are in tables all the same: they asked somebody,
            /// and answered its ping while the binding lasted.
            package var knownTranslatedPercent = 17
            /// Hosts that never leave, are reachable, and that newcomers bootstrap from.
            package var routers = 8

            package init() {}
        }

        package var nodes = 200
        package var conditions = VirtualNetwork.Conditions()
        package var limits = DHTLimits()
        package var beginning = Beginning.joining(every: .milliseconds(50))
        /// How many of a hundred hosts are behind address translation.
        package var translatedPercent = 0
        /// How long hosts stay, each replaced by a newcomer; `nil` for ever.
        package var sessions: Weibull?
        /// Who of an established network is hostile.
        package var hostility: Hostility?
        /// Whether the hosts are of our own kind: each with a key that it proves, and records that it may sign.
        package var areOwnKind = false
        package var seed: UInt64

        package init(seed: UInt64) { self.seed = seed }

        /// The network that issue 3 asks to be measured in: an established one with the round trips of `PairLatency`,
        /// 1 % loss, sessions as in KAD, 30 % of hosts behind address translation and 15 % dead table entries.
        package static func internet(nodes: Int, seed: UInt64) -> Configuration {
            var configuration = Configuration(seed: seed)
            configuration.nodes = nodes
            configuration.conditions = VirtualNetwork.Conditions(latency: .pairwise(PairLatency()), lossPerMille: 10)
            configuration.beginning = .established(Standing())
            configuration.translatedPercent = 30
            configuration.sessions = .kad
            return configuration
        }
    }
}
