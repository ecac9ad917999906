import PortMapping
import Primitives
import XML

/// libFuzzer's entry: what happens to a client that searches, in steps of a byte of choice, two of a length, and so many
/// bytes.
///
///     0 a datagram · 1 a reply with status 200 · 2 with another · 3 no reply · 4 the deadline · 5 an hour · 6 a release
///     7 a start
///
/// Whatever a gateway says, it leads us to itself only, and takes no more of us than a few requests.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafeRawPointer?, _ count: Int) -> CInt {
    // Safe: libFuzzer passes `count` readable bytes.
    let input = unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    var encounter = Encounter()
    var rest = input[...]
    while let choice = rest.popFirst(), let high = rest.popFirst(), let low = rest.popFirst() {
        let body = Array(rest.prefix(Int(high) << 8 | Int(low)))
        rest = rest.dropFirst(body.count)
        encounter.goesOn(choice & 7, body)
    }
    return 0
}

private let gateway = IPAddress.v4(0xc0a8_0101)
private let ourselves = IPAddress.v4(0xc0a8_0114)

/// A client and a stranger at 192.168.1.1.
private struct Encounter {
    private var client = IGDClient(port: 6881, seed: 1)
    private var now = Instant.zero
    private var open: [IGDRequest] = []
    /// Since the search began.
    private var requests = 0
    private var added: Set<String> = []

    init() {
        client.start(at: now)
        gather()
    }

    mutating func goesOn(_ choice: UInt8, _ body: [UInt8]) {
        check(body)
        switch choice {
        case 0: client.datagramArrived(body.span.bytes, from: Endpoint(gateway, 1900), at: now)
        case 1: reply(IGDReply(status: 200, body: body, ownAddress: ourselves))
        case 2: reply(IGDReply(status: body.first.map { 400 + Int($0) } ?? 204, body: body, ownAddress: ourselves))
        case 3: reply(nil)
        case 4: tick(at: client.deadline ?? now)
        case 5: tick(at: now + .seconds(3600))
        case 6:
            client.release(at: now)
            precondition(client.deadline == nil && client.state == .searching, "released, and not idle")
        default:
            if client.deadline == nil { requests = 0 }
            client.start(at: now)
        }
        gather()
        check(client.state)
    }

    private mutating func reply(_ reply: IGDReply?) {
        if !open.isEmpty { client.replied(open.removeFirst().ticket, reply, at: now) }
    }

    private mutating func tick(at time: Instant) {
        now = max(now, time)
        client.tick(at: now)
        precondition(client.deadline.map { $0 > now } ?? true, "a deadline that has passed is due again at once")
    }

    private mutating func gather() {
        for action in client.takeActions() {
            switch action {
            case .send(let bytes, let endpoint):
                precondition(endpoint == SSDP.group && bytes.count < 200, "a datagram to somebody else")
            case .request(let request):
                precondition(request.url.hasPrefix("http://192.168.1.1:"), "somebody else is asked")
                precondition(request.url.utf8.allSatisfy { (0x21...0x7e).contains($0) }, "no URL")
                open.append(request)
                requests += 1
                if let call = request.call, call.action.hasSuffix("#AddPortMapping\"") { added.insert(call.action) }
            }
        }
        if case .searching = client.state {
            precondition(requests <= 1000, "one who searches may not be made to ask for ever")
        } else {
            requests = 0
        }
    }

    private func check(_ state: PortMappingState) {
        switch state {
        case .searching: break
        case .mapped(let tcp, let udp, let address):
            precondition(tcp.externalPort == udp.externalPort && tcp.port == 6881, "two ports")
            precondition(address?.isV4 ?? true, "an address of another family")
            precondition(!added.isEmpty && client.deadline != nil, "mapped by itself, or for ever")
        case .failed(let fault):
            precondition(client.deadline == nil, "failed, and waits for something")
            guard case .refused(let words) = fault else { return }
            precondition(words.utf8.count <= 80 && words.utf8.allSatisfy { (0x20...0x7e).contains($0) }, "odd words")
        }
    }

    /// The limits of what is read.
    private func check(_ body: [UInt8]) {
        guard let elements = try? XMLReader.elements(in: body) else { return }
        precondition((1...XMLReader.mostElements).contains(elements.count), "too many elements, or none")
        precondition(elements.allSatisfy { (0..<XMLReader.mostDepth).contains($0.depth) }, "too deep")
        // Text of one byte each may become two in UTF-8.
        precondition(elements.allSatisfy { $0.text.utf8.count <= 2 * XMLReader.mostTextBytes }, "too much text")
    }
}
