import Metainfo
import Testing

@testable import Shoal

private func block(_ piece: UInt32, _ begin: UInt32, _ length: UInt32 = 16_384) -> Block {
    Block(piece: piece, begin: begin, length: length)
}

@Suite("Upload queue")
struct UploadQueueTests {
    private static func queue(_ blocks: [Block]) -> UploadQueue {
        var queue = UploadQueue()
        for block in blocks { queue.append(block) }
        return queue
    }

    @Test("blocks that lie side by side are one run, as long as the limit allows")
    func runs() {
        var queue = UploadQueueTests.queue((0..<5).map { block(0, $0 * 16_384) })
        let runs = (0..<3).map { _ in queue.takeRun(bytes: 3 * 16_384) }
        #expect(runs[0] == [block(0, 0), block(0, 16_384), block(0, 32_768)])
        #expect(runs[1] == [block(0, 49_152), block(0, 65_536)])
        #expect(runs[2] == [])
    }

    @Test("a block longer than the limit is a run of its own")
    func longBlock() {
        var queue = UploadQueueTests.queue([block(0, 0, 131_072), block(0, 131_072, 1)])
        let run = queue.takeRun(bytes: 16_384)
        #expect(run == [block(0, 0, 131_072)])
    }

    @Test(
        "a gap, another piece, the same block again and a begin at the end of what can be counted end a run",
        arguments: [
            [block(0, 0), block(0, 32_768)], [block(0, 0), block(1, 16_384)], [block(0, 0), block(0, 0)],
            [block(0, 16_384), block(0, 0)], [block(0, .max - 1, 131_072), block(0, 0)],
        ]
    )
    func gaps(blocks: [Block]) {
        var queue = UploadQueueTests.queue(blocks)
        let run = queue.takeRun(bytes: 1 << 20)
        #expect(run == [blocks[0]])
    }

    @Test("a cancelled request leaves once, and one that is gone cannot be cancelled")
    func cancel() {
        var queue = UploadQueueTests.queue([block(0, 0), block(0, 0), block(1, 0)])
        let wasThere = queue.remove(block(0, 0))
        #expect(wasThere)
        #expect(queue.pending == [block(0, 0), block(1, 0)])
        let rest = queue.removeAll()
        #expect(rest == [block(0, 0), block(1, 0)])
        let isThere = queue.remove(block(1, 0))
        #expect(!isThere && queue.pending.isEmpty)
    }
}
