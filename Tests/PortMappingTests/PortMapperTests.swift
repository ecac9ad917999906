import PortMapping
import Primitives
import Testing

/// A host and its gateway in simulated time, without UPnP.
struct MapperDialogue {
    var mapper = PortMapper(port: 6881, seed: 1)
    var gateway: Gateway?
    /// The way out that the kernel knows.
    var route: IPAddress? = Gateway.address
    var now = Instant.zero
    private(set) var searches = 0
    private(set) var questions = 0
    private(set) var states: [String] = []

    init(_ gateway: Gateway?, route: IPAddress? = Gateway.address) {
        self.gateway = gateway
        self.route = route
        mapper.start(gateway: route, at: now)
        deliver()
    }

    private mutating func deliver() {
        while case let actions = mapper.takeActions(), !actions.isEmpty {
            for case .send(let bytes, let place) in actions {
                guard place.port == 5351 else {
                    searches += 1
                    continue
                }
                questions += 1
                guard let gateway else { continue }
                mapper.datagramArrived(gateway.answer(bytes, at: now).span.bytes, from: gateway.endpoint, at: now)
            }
        }
        let state = word
        if states.last != state { states.append(state) }
    }

    mutating func pass(_ duration: Duration) {
        let end = now + duration
        while let deadline = mapper.deadline, deadline <= end {
            #expect(deadline >= now)
            now = deadline
            mapper.tick(gateway: route, at: now)
            deliver()
        }
        now = end
    }

    mutating func release() {
        gateway = nil
        mapper.release(at: now)
        deliver()
    }

    private var word: String {
        switch mapper.state {
        case .searching: "searching"
        case .mapped(let tcp, _, _): "\(tcp.means.rawValue) \(tcp.externalPort)"
        case .failed(let fault): "\(fault)"
        }
    }
}

@Suite("Finding a router that maps a port")
struct PortMapperTests {
    @Test("NAT-PMP is asked first, and UPnP not at all where that works")
    func first() {
        var dialogue = MapperDialogue(Gateway())
        dialogue.pass(.seconds(86_400))
        #expect(dialogue.states == ["NAT-PMP 6881"])
        #expect(dialogue.searches == 0)
    }

    @Test("a gateway that is silent is searched for by UPnP, and then from the beginning, ever less often")
    func silence() {
        var dialogue = MapperDialogue(nil)
        dialogue.pass(.seconds(10))
        #expect(dialogue.states == ["searching", "noAnswer"])
        #expect(dialogue.searches > 0)
        #expect(dialogue.questions == 3)
        dialogue.pass(.seconds(86_400))
        #expect(dialogue.states.count == 2)
        // After 1, 2, 4, 8, 16 minutes and then each half hour.
        #expect((45...55).contains(dialogue.questions / 3))
    }

    @Test("a router that is set up later is found, and one that goes away is told and searched for again")
    func later() {
        var dialogue = MapperDialogue(nil)
        dialogue.pass(.seconds(200))
        dialogue.gateway = Gateway()
        dialogue.pass(.seconds(300))
        #expect(dialogue.states == ["searching", "noAnswer", "NAT-PMP 6881"])
        dialogue.gateway = nil
        dialogue.pass(.seconds(7400))
        #expect(dialogue.states.last == "noAnswer")
        dialogue.gateway = Gateway()
        dialogue.pass(.seconds(3600))
        #expect(dialogue.states.last == "NAT-PMP 6881")
    }

    @Test("what NAT-PMP refused is told where UPnP is silent")
    func refusal() {
        var gateway = Gateway()
        gateway.codes = [2: 2]
        var dialogue = MapperDialogue(gateway)
        dialogue.pass(.seconds(10))
        #expect(dialogue.states.last == "refused(\"NAT-PMP is switched off\")")
    }

    @Test("without a gateway it waits for one")
    func noGateway() {
        var dialogue = MapperDialogue(Gateway(), route: nil)
        #expect(dialogue.states == ["noGateway"])
        dialogue.route = Gateway.address
        dialogue.pass(.seconds(10))
        #expect(dialogue.states == ["noGateway", "NAT-PMP 6881"])
    }

    @Test("in another network it begins anew")
    func moves() {
        var dialogue = MapperDialogue(Gateway())
        dialogue.pass(.seconds(100))
        dialogue.gateway = nil
        dialogue.route = IPAddress("10.0.0.1")
        dialogue.pass(.seconds(30))
        #expect(dialogue.states == ["NAT-PMP 6881", "noAnswer"])
        dialogue.route = Gateway.address
        dialogue.gateway = Gateway()
        dialogue.pass(.seconds(120))
        #expect(dialogue.states.last == "NAT-PMP 6881")
    }

    @Test("the end takes the mapping away and leaves nothing to do")
    func release() {
        var dialogue = MapperDialogue(Gateway())
        let before = dialogue.questions
        dialogue.release()
        #expect(dialogue.questions == before + 2)
        #expect(dialogue.mapper.deadline == nil)
        var silent = MapperDialogue(nil)
        silent.pass(.seconds(2))
        silent.release()
        #expect(silent.mapper.deadline == nil)
    }
}
