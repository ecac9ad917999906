import EventLoop
import HTTPServer
import Primitives
import TestSupport
import Testing

@Suite("HTTP server and those who keep it waiting")
struct PatienceTests {
    @Test("answers later what is asked, and others meanwhile")
    func later() async throws {
        try await withHouse { stage, house async throws in
            let address = house.value.address
            let patient = try RawConnection.dial(address)
            patient.say("GET /later HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try await house.value.asked.next() == "/later")
            #expect(try await play { try RawConnection.dial(address).get("/now")?.body } == "GET /now ")
            await stage.perform { _ in house.value.answerLater() }
            #expect(try await play { patient.hear()?.body } == "at last")
        }
    }

    @Test("survives that who asked is gone, or that it is closed, before the answer")
    func gone() async throws {
        try await withHouse { stage, house async throws in
            let address = house.value.address
            for _ in 0..<3 {
                // Each is closed at once.
                try RawConnection.dial(address).say("GET /later HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(try await house.value.asked.next() == "/later")
            }
            await stage.perform { _ in house.value.answerLater() }
            #expect(try await play { try RawConnection.dial(address).get("/now")?.body } == "GET /now ")
            #expect(try await house.value.asked.next() == "/now")
            let patient = try RawConnection.dial(address)
            patient.say("GET /later HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try await house.value.asked.next() == "/later")
            await stage.perform { _ in
                house.value.close()
                house.value.answerLater()
            }
            #expect(try await play { patient.isClosedByPeer() })
        }
    }

    @Test("gives up on a head that takes too long, however often a byte of it comes (T9)")
    func slowHead() async throws {
        var limits = HTTPLimits()
        limits.headTimeout = .milliseconds(200)
        try await withHouse(limits) { stage, house async throws in
            let address = house.value.address
            let isSilentClosed = try await play {
                let silent = try RawConnection.dial(address)
                let slow = try RawConnection.dial(address)
                // Until the connection is broken.
                while slow.send([UInt8(ascii: "X")]) { _ = slow.waits(milliseconds: 20) }
                return silent.isClosedByPeer()
            }
            #expect(isSilentClosed)
            await stage.perform { _ in #expect(house.value.server?.counters.expiredConnections == 2) }
        }
    }

    @Test("closes at once when the other end stops in the middle of a head")
    func halfHead() async throws {
        try await withHouse { stage, house async throws in
            let address = house.value.address
            let isClosed = try await play {
                let connection = try RawConnection.dial(address)
                connection.say("GET / HT")
                _ = connection.waits(milliseconds: 10)
                connection.endSending()
                return connection.isClosedByPeer()
            }
            #expect(isClosed)
            await stage.perform { _ in #expect(house.value.server?.connectionCount == 0) }
        }
    }

    @Test("gives up on a body and on an answer that take too long")
    func slowExchange() async throws {
        var limits = HTTPLimits()
        limits.headTimeout = .milliseconds(100)
        limits.exchangeTimeout = .milliseconds(200)
        try await withHouse(limits) { stage, house async throws in
            let address = house.value.address
            for words in ["PUT /body HTTP/1.1\r\nContent-Length: 9\r\n\r\n1", "GET /later HTTP/1.1\r\n\r\n"] {
                let isClosed = try await play {
                    let slow = try RawConnection.dial(address)
                    slow.say(words)
                    return slow.isClosedByPeer()
                }
                #expect(isClosed)
            }
            await stage.perform { _ in #expect(house.value.server?.connectionCount == 0) }
        }
    }

    @Test("a full table makes room for who comes, at the cost of who has been silent longest (T9)")
    func full() async throws {
        var limits = HTTPLimits()
        limits.mostConnections = 20
        try await withHouse(limits) { stage, house async throws in
            let address = house.value.address
            let (statuses, isFirstClosed, last) = try await play {
                var slow: [RawConnection] = []
                var statuses: Set<Int?> = []
                for _ in 0..<200 {
                    let connection = try RawConnection.dial(address)
                    connection.say("GET /a")
                    slow.append(connection)
                    guard slow.count % 10 == 0 else { continue }
                    statuses.insert(try RawConnection.dial(address).get("/now")?.status)
                }
                slow[199].say(" HTTP/1.1\r\n\r\n")
                return (statuses, slow[0].isClosedByPeer(), slow[199].hear()?.body)
            }
            #expect(statuses == [200])
            #expect(isFirstClosed)
            #expect(last == "GET /a ")
            await stage.perform { _ in
                let counters = house.value.server?.counters ?? HTTPCounters()
                #expect(counters.refusedConnections == 0)
                #expect(counters.displacedConnections >= 180)
                #expect((house.value.server?.connectionCount ?? 99) <= 20)
            }
        }
    }

    @Test("a table full of those whom an answer is owed lets nobody else in")
    func busy() async throws {
        var limits = HTTPLimits()
        limits.mostConnections = 3
        try await withHouse(limits) { stage, house async throws in
            let address = house.value.address
            var patient: [RawConnection] = []
            for _ in 0..<3 {
                let connection = try RawConnection.dial(address)
                connection.say("GET /later HTTP/1.1\r\n\r\n")
                patient.append(connection)
                #expect(try await house.value.asked.next() == "/later")
            }
            #expect(try await play { try RawConnection.dial(address).isClosedByPeer() })
            await stage.perform { _ in house.value.answerLater() }
            for connection in patient { #expect(try await play { connection.hear()?.body } == "at last") }
        }
    }

    @Test("those who begin long bodies, or do not read long answers, get so much memory together and no more")
    func bytesInFlight() async throws {
        var limits = HTTPLimits()
        limits.mostBytesInFlight = 2 << 20
        try await withHouse(limits) { _, house async throws in
            let address = house.value.address
            let statuses = try await play {
                // Two begin a body of a MiB each, and leave it at that.
                let begun = "PUT /long HTTP/1.1\r\nContent-Length: \(1 << 20)\r\n\r\n"
                var idle: [RawConnection] = []
                for _ in 0..<2 {
                    let connection = try RawConnection.dial(address)
                    connection.say(begun + "x")
                    idle.append(connection)
                }
                let third = try RawConnection.dial(address)
                third.say(begun)
                var statuses = [third.hear()?.status, try RawConnection.dial(address).get("/long")?.status]
                statuses.append(try RawConnection.dial(address).get("/short")?.status)
                // One goes on to the end, its body makes way for an answer, and that goes too.
                idle[0].say(String(repeating: "x", count: (1 << 20) - 1))
                statuses.append(idle[0].hear()?.status)
                _ = idle[0].isClosedByPeer()
                statuses.append(try RawConnection.dial(address).get("/long")?.status)
                return statuses
            }
            #expect(statuses == [503, 503, 200, 200, 200])
        }
    }

    @Test("a host has so many connections and no more, loopback if asked (T9)")
    func perHost() async throws {
        var limits = HTTPLimits()
        limits.mostConnectionsPerHost = 2
        limits.countsLoopback = true
        try await withHouse(limits) { stage, house async throws in
            let address = house.value.address
            let statuses = try await play {
                let first = try RawConnection.dial(address)
                first.say("GET /1")
                let second = try RawConnection.dial(address)
                var statuses = [second.get("/2")?.status]
                _ = second.isClosedByPeer()
                let third = try RawConnection.dial(address)
                third.say("GET /3")
                statuses.append(try RawConnection.dial(address).isClosedByPeer() ? nil : 0)
                first.say(" HTTP/1.1\r\n\r\n")
                return statuses + [first.hear()?.status]
            }
            #expect(statuses == [200, nil, 200])
            await stage.perform { _ in #expect(house.value.server?.counters.refusedConnections == 1) }
        }
    }
}
