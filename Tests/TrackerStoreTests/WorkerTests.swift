import TestSupport
import Testing
import TrackerStore

@Suite("The thread of the database")
struct WorkerTests {
    private func worker(_ kind: Database) throws -> StoreWorker {
        try StoreWorker(try TestDatabase(kind).open(), wake: {})
    }

    @Test("calls run in their order, and their results come to whoever drains", arguments: Database.all)
    func order(_ kind: Database) throws {
        let worker = try worker(kind)
        var answers: [String] = []
        worker.perform({ store throws(StoreFault) in
            try store.addAccount(Account(name: "anna", password: "x", isAdmin: false, created: 0))
        }) { result in answers.append("added \((try? result.get()) == true)") }
        worker.perform({ store throws(StoreFault) in try store.accountCount() }) { result in
            answers.append("\((try? result.get()) ?? -1)")
        }
        #expect(answers == [])
        worker.close()
        #expect(answers == ["added true", "1"])
        worker.perform({ store throws(StoreFault) in try store.accountCount() }) { answers.append("\($0)") }
        #expect(answers.last == "failure(TrackerStore.StoreFault.busy)")
    }

    @Test("whoever comes to a full queue is told at once, and the others are served")
    func full() throws {
        let worker = try worker(.sqlite)
        var (served, refused) = (0, 0)
        for _ in 0..<StoreWorker.mostPending + 3 {
            worker.perform({ _ throws(StoreFault) in }) { result in
                if case .failure(.busy) = result { refused += 1 } else { served += 1 }
            }
        }
        #expect(refused == 3)
        worker.close()
        #expect(served == StoreWorker.mostPending)
    }
}
