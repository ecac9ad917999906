import Metainfo
import Primitives
import Simulation
import Swarming
import Testing

@Suite("Swarm simulation")
struct SwarmSimulationTests {
    /// 16 MiB in pieces of 128 KiB.
    private let layout = PieceLayout(totalSize: 16 << 20, pieceLength: 128 << 10)

    private func oneToNine(seed: UInt64, lying: Int? = nil) -> SwarmSimulation {
        let nodes = (0..<10).map { index in
            SwarmSimulation.Node(
                have: index == 0 || index == lying
                    ? Bitfield(filled: layout.pieceCount) : Bitfield(count: layout.pieceCount),
                upRate: 1_000_000 + 100_000 * index,
                latency: .milliseconds(5 + index),
                isLying: index == lying
            )
        }
        return SwarmSimulation(layout: layout, nodes: nodes, seed: seed)
    }

    @Test("nine nodes complete from one, and the same seed gives the same trace", arguments: [1, 2, 3] as [UInt64])
    func oneSharer(seed: UInt64) {
        var first = oneToNine(seed: seed)
        var second = oneToNine(seed: seed)
        let outcome = first.run(for: .seconds(600))
        #expect(outcome.completedAt.dropFirst().allSatisfy { $0 != nil })
        #expect(second.run(for: .seconds(600)) == outcome)
    }

    @Test("another seed gives another trace")
    func seeds() {
        var first = oneToNine(seed: 1)
        var second = oneToNine(seed: 2)
        #expect(first.run(for: .seconds(600)).trace != second.run(for: .seconds(600)).trace)
    }

    @Test("the nine carry most of it themselves")
    func exchange() {
        var swarm = oneToNine(seed: 7)
        let outcome = swarm.run(for: .seconds(600))
        // Alone the first would have to send nine copies, 144 seconds' worth.
        #expect(outcome.uploaded[0] < 4 * layout.totalSize)
        #expect(outcome.completedAt.compactMap { $0 }.max().map { $0 < .seconds(60) } == true)
    }

    @Test("a node that lies is banned and stops nobody", arguments: [1, 2, 3] as [UInt64])
    func liar(seed: UInt64) {
        var swarm = oneToNine(seed: seed, lying: 4)
        let outcome = swarm.run(for: .seconds(600))
        #expect(outcome.banned == [4])
        #expect(outcome.completedAt.indices.allSatisfy { $0 == 0 || $0 == 4 || outcome.completedAt[$0] != nil })
    }
}
