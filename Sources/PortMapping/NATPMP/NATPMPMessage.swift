import Primitives

/// What a gateway is asked (RFC 6886, 3.2 and 3.3).
enum NATPMPQuestion: Hashable, Sendable {
    /// Which address it has outside.
    case address
    /// A port; a lifetime of 0 takes the mapping away.
    case map(MappedTransport, port: UInt16, externalPort: UInt16, seconds: UInt32)

    fileprivate var opcode: UInt8 {
        switch self {
        case .address: 0
        case .map(.udp, _, _, _): 1
        case .map(.tcp, _, _, _): 2
        }
    }

    var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 12)
        writer.byte(NATPMPMessage.version)
        writer.byte(opcode)
        if case .map(_, let port, let externalPort, let seconds) = self {
            writer.bigEndian(UInt16(0))
            writer.bigEndian(port)
            writer.bigEndian(externalPort)
            writer.bigEndian(seconds)
        }
        return writer.bytes
    }
}

/// What it answers.
struct NATPMPMessage: Hashable, Sendable {
    static let version: UInt8 = 0

    enum Content: Hashable, Sendable {
        case address(IPAddress)
        case mapped(externalPort: UInt16, seconds: UInt32)
        /// RFC 6886, 3.5.
        case refused(code: UInt16)
    }

    let content: Content
    /// Seconds since the gateway's tables were made: fewer than there should be, and it has forgotten ours.
    let epoch: UInt32

    /// The answer to a question; `nil` for anything else.
    init?(_ bytes: RawSpan, to question: NATPMPQuestion) {
        guard let version = bytes.byte(at: 0), let opcode = bytes.byte(at: 1),
            let code = bytes.bigEndian(UInt16.self, at: 2), let epoch = bytes.bigEndian(UInt32.self, at: 4)
        else { return nil }
        // A gateway of another version (PCP) answers in its own, and says so by code 1 (RFC 6887, 9). Whatever else
        // begins with another version is noise, and must not end the talk.
        let isForeign = version != NATPMPMessage.version && code == 1
        guard isForeign || version == NATPMPMessage.version && opcode == question.opcode | 0x80,
            let content = NATPMPMessage.content(bytes, code, to: question)
        else { return nil }
        self.content = content
        self.epoch = epoch
    }

    private static func content(_ bytes: RawSpan, _ code: UInt16, to question: NATPMPQuestion) -> Content? {
        guard code == 0 else { return .refused(code: code) }
        switch question {
        case .address: return bytes.bigEndian(UInt32.self, at: 8).map { .address(.v4($0)) }
        case .map(_, let asked, _, _):
            guard let port = bytes.bigEndian(UInt16.self, at: 8), port == asked,
                let externalPort = bytes.bigEndian(UInt16.self, at: 10),
                let seconds = bytes.bigEndian(UInt32.self, at: 12)
            else { return nil }
            return .mapped(externalPort: externalPort, seconds: seconds)
        }
    }

    /// For a person.
    static func words(_ code: UInt16) -> String {
        switch code {
        case 1: "it speaks another version of NAT-PMP"
        case 2: "NAT-PMP is switched off"
        case 3: "it has no address outside"
        case 4: "it has no room for another mapping"
        case 5: "it cannot map ports by NAT-PMP"
        default: "NAT-PMP error \(code)"
        }
    }
}
