import PortMapping
import Primitives

/// A client, the time, and what it asks: lets a test read as a dialogue with a gateway at 192.168.1.1.
struct IGDDialogue {
    static let gateway = IPAddress.v4(0xc0a8_0101)
    static let ourselves = IPAddress.v4(0xc0a8_0114)
    static let location = "http://192.168.1.1:5000/root.xml"

    var client: IGDClient
    var now = Instant.zero
    var ownAddress = IGDDialogue.ourselves
    /// Requests that nobody has answered, oldest first.
    private(set) var open: [IGDRequest] = []
    private var searches: [String] = []
    private var asked: [String] = []

    init(port: UInt16 = 6881, seed: UInt64 = 1, gateway: IPAddress? = nil) {
        client = IGDClient(port: port, seed: seed, gateway: gateway)
    }

    /// A dialogue in which a gateway was found and is asked for its state.
    static func found(
        _ description: String = GatewayText.description(),
        port: UInt16 = 6881,
        seed: UInt64 = 1
    ) -> IGDDialogue {
        var dialogue = IGDDialogue(port: port, seed: seed)
        dialogue.start()
        dialogue.hears(location)
        dialogue.answers(description)
        _ = dialogue.takeSearches()
        _ = dialogue.takeAsked()
        return dialogue
    }

    /// A dialogue in which all went well.
    static func mapped(seed: UInt64 = 1) -> IGDDialogue {
        var dialogue = IGDDialogue.found(seed: seed)
        dialogue.succeeds()
        _ = dialogue.takeAsked()
        return dialogue
    }

    private mutating func gather() {
        for action in client.takeActions() {
            switch action {
            case .send(let bytes, let endpoint):
                searches.append("\(endpoint) \(String(decoding: bytes, as: UTF8.self))")
            case .request(let request):
                open.append(request)
                asked.append(IGDDialogue.summary(of: request))
            }
        }
    }

    /// `GET` and the URL, or the name of a call and its arguments.
    private static func summary(of request: IGDRequest) -> String {
        guard let call = request.call else { return "GET \(request.url)" }
        let name = call.action.split(separator: "#").last?.dropLast() ?? ""
        let values = String(decoding: call.body, as: UTF8.self).split(separator: "<New").dropFirst().compactMap {
            part in
            part.split(separator: ">", omittingEmptySubsequences: false).dropFirst().first?
                .split(separator: "<", omittingEmptySubsequences: false).first
        }
        return ([name] + values.filter { !$0.isEmpty }).joined(separator: " ")
    }

    // MARK: What happens to the client

    mutating func start() {
        client.start(at: now)
        gather()
    }

    mutating func release() {
        client.release(at: now)
        gather()
    }

    /// An answer to a search.
    mutating func hears(_ location: String, from sender: IPAddress = gateway) {
        hears(datagram: GatewayText.answer(location: location), from: sender)
    }

    mutating func hears(datagram: String, from sender: IPAddress = gateway) {
        client.datagramArrived(Array(datagram.utf8).span.bytes, from: Endpoint(sender, 1900), at: now)
        gather()
    }

    /// The oldest open request is answered.
    mutating func answers(_ body: String, status: Int = 200) {
        guard !open.isEmpty else { return }
        let reply = IGDReply(status: status, body: Array(body.utf8), ownAddress: ownAddress)
        client.replied(open.removeFirst().ticket, reply, at: now)
        gather()
    }

    mutating func refuses(_ code: Int, _ words: String = "") { answers(GatewayText.fault(code, words), status: 500) }

    /// The oldest open request is not answered in time.
    mutating func isSilent() {
        guard !open.isEmpty else { return }
        client.replied(open.removeFirst().ticket, nil, at: now)
        gather()
    }

    /// The gateway does what it is asked, until nothing is open or one call begins with `stop`.
    mutating func succeeds(until stop: String? = nil) {
        while let request = open.first {
            let summary = IGDDialogue.summary(of: request)
            if let stop, summary.hasPrefix(stop) { return }
            answers(GatewayText.success(String(summary.prefix { $0 != " " })))
        }
    }

    /// A reply to any ticket.
    mutating func replies(to ticket: Int, _ body: String) {
        client.replied(ticket, IGDReply(status: 200, body: Array(body.utf8), ownAddress: ownAddress), at: now)
        gather()
    }

    /// Goes on in steps of the client's own deadlines, as a driver would.
    mutating func passes(_ duration: Duration) {
        let end = now + duration
        while let deadline = client.deadline, deadline <= end {
            now = max(now, deadline)
            client.tick(at: now)
            gather()
        }
        now = end
    }

    // MARK: What the client did

    /// Where each search since the last call went, and what it was.
    mutating func takeSearches() -> [String] {
        defer { searches = [] }
        return searches
    }

    /// What was asked since the last call.
    mutating func takeAsked() -> [String] {
        defer { asked = [] }
        return asked
    }

    /// The external ports of the mapping, by TCP and by UDP, and the gateway's address.
    var mapped: String? {
        guard case .mapped(let tcp, let udp, let address) = client.state else { return nil }
        return "\(tcp.externalPort) \(udp.externalPort) \(address.map { "\($0)" } ?? "-")"
    }

    var fault: PortMappingFault? {
        if case .failed(let fault) = client.state { fault } else { nil }
    }
}
