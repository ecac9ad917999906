import XML

/// What a service of a gateway answered to a call.
enum IGDAnswer: Hashable, Sendable {
    /// What it gave back, by name.
    case done([String: String])
    /// An error by its number (UPnP Device Architecture 1.1, 3.2.2; the 700s are the service's own).
    case refused(code: Int, PortMappingFault)
    case unreadable(PortMappingFault)

    init(_ reply: IGDReply, to call: IGDCall) {
        do throws(XMLError) {
            self = IGDAnswer.read(try XMLReader.elements(in: reply.body), reply.status, call)
        } catch {
            self = .unreadable(reply.status == 200 ? PortMappingFault(error) : IGDAnswer.fault(ofStatus: reply.status))
        }
    }

    private static func read(_ elements: [XMLElement], _ status: Int, _ call: IGDCall) -> IGDAnswer {
        // A few gateways send errors with status 200.
        if let code = elements.first(where: { $0.name == "errorCode" }) {
            let words = elements.first { $0.name == "errorDescription" }?.text ?? ""
            let number = Int(code.text) ?? 0
            return .refused(code: number, .refused(cleaned(words, number)))
        }
        guard status == 200 else { return .unreadable(fault(ofStatus: status)) }
        guard let start = elements.firstIndex(where: { $0.name == call.name + "Response" }) else {
            return .unreadable(.malformed)
        }
        var values: [String: String] = [:]
        for element in elements[(start + 1)...].prefix(while: { $0.depth > elements[start].depth }) {
            if values[element.name] == nil { values[element.name] = element.text }
        }
        return .done(values)
    }

    private static func fault(ofStatus status: Int) -> PortMappingFault { .refused("HTTP status \(status)") }

    /// A stranger's words go to a terminal: only such as are printed, and not many.
    private static func cleaned(_ words: String, _ code: Int) -> String {
        let suffix = " (error \(code))"
        let printable = words.unicodeScalars.prefix(80 - suffix.utf8.count).map { scalar in
            (0x20...0x7e).contains(scalar.value) ? Character(scalar) : "?"
        }
        return printable.isEmpty ? "error \(code)" : String(printable) + suffix
    }
}

extension PortMappingFault {
    init(_ error: XMLError) {
        self = error == .expatMissing ? .unable(error.description) : .malformed
    }
}
