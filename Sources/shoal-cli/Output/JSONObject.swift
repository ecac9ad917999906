import Metainfo

/// One JSON object on one line, its members in the order they were added.
///
/// Written by hand: the order is part of what people see, slashes stay as they are, and a JSON coder would more than
/// double the program and its start.
struct JSONObject {
    private var text = "{"

    init() {}

    /// An object that begins with its `event`.
    init(event: String) { add("event", event) }

    /// The object in full, without a line end.
    var line: String { text + "}" }

    mutating func add(_ name: String, _ value: String) {
        key(name)
        JSONObject.quote(value, into: &text)
    }

    mutating func add(_ name: String, _ value: some BinaryInteger) {
        key(name)
        text += String(value)
    }

    mutating func add(_ name: String, _ value: Bool) {
        key(name)
        text += value ? "true" : "false"
    }

    /// A number with at most `digits` digits behind the point; JSON has no infinity, so that becomes `null`.
    mutating func add(_ name: String, _ value: Double?, digits: Int) {
        key(name)
        text += value.flatMap { DecimalText.trimmed($0, digits: digits) } ?? "null"
    }

    mutating func add(_ name: String, _ values: [String]) {
        key(name)
        text += "["
        for (index, value) in values.enumerated() {
            if index > 0 { text += "," }
            JSONObject.quote(value, into: &text)
        }
        text += "]"
    }

    /// Leaves the member out where there is no value.
    mutating func addIfPresent(_ name: String, _ value: String?) {
        if let value { add(name, value) }
    }

    private mutating func key(_ name: String) {
        if text.utf8.count > 1 { text += "," }
        JSONObject.quote(name, into: &text)
        text += ":"
    }

    /// Standard output may be a terminal, and names come from strangers: everything that `DisplayText` would replace is
    /// written as `\u....`, which every reader turns back into the same text.
    private static func quote(_ value: String, into text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where !DisplayText.isVisible(scalar):
                for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter { text += escape(unit) }
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }

    private static func escape(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}

/// Decimal numbers without a formatter.
enum DecimalText {
    /// Exactly `digits` digits behind the point; `nil` for what is no finite number of sane size.
    static func fixed(_ value: Double, digits: Int) -> String? {
        let scales = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]
        guard value.isFinite, scales.indices.contains(digits) else { return nil }
        let scale = scales[digits]
        guard abs(value) < 1e15, abs(value) * Double(scale) < 9e18 else { return nil }
        let scaled = Int64((abs(value) * Double(scale)).rounded())
        let sign = value < 0 && scaled != 0 ? "-" : ""
        guard digits > 0 else { return sign + String(scaled) }
        let fraction = String(scaled % Int64(scale))
        let zeros = String(repeating: "0", count: digits - fraction.count)
        return "\(sign)\(scaled / Int64(scale)).\(zeros)\(fraction)"
    }

    /// At most `digits` digits behind the point, without zeros at the end.
    static func trimmed(_ value: Double, digits: Int) -> String? {
        guard var text = fixed(value, digits: digits) else { return nil }
        guard text.utf8.contains(UInt8(ascii: ".")) else { return text }
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }
}
