/// A JSON text as a value (RFC 8259).
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// A number with a point or an exponent, or beyond `Int64`.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONMembers)
}

/// The members of an object in the order in which they stand; no name stands twice.
package struct JSONMembers: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    package private(set) var all: [Member] = []

    package struct Member: Hashable, Sendable {
        package let name: String
        package let value: JSONValue
    }

    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        for (name, value) in elements { append(name, value) }
    }

    /// - Returns: `false` where the name is there already, and nothing is added.
    @discardableResult
    package mutating func append(_ name: String, _ value: JSONValue) -> Bool {
        // Linear: objects that anybody reads here have a dozen members, and the reader counts.
        guard self[name] == nil else { return false }
        all.append(Member(name: name, value: value))
        return true
    }

    package subscript(_ name: String) -> JSONValue? { all.first { $0.name == name }?.value }
}

extension JSONValue {
    /// A member of an object; `nil` for other values too.
    package subscript(_ name: String) -> JSONValue? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    package var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    package var integer: Int64? {
        if case .integer(let number) = self { number } else { nil }
    }

    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    package var array: [JSONValue]? {
        if case .array(let values) = self { values } else { nil }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }

    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        var members = JSONMembers()
        for (name, value) in elements { members.append(name, value) }
        self = .object(members)
    }
}
