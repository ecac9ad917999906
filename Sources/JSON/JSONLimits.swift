/// What a reader takes at most; the length of the text is bounded by whoever received it.
package struct JSONLimits: Hashable, Sendable {
    /// Arrays and objects within each other (hardening R9).
    package var depth = 16
    /// Values in all, each of which takes some 50 bytes, where `[0,0,0` takes two.
    package var values = 1_000_000
    /// Members of one object: they are looked up one by one.
    package var members = 256

    package init() {}
}

/// What is wrong with a JSON text, and at which byte.
package enum JSONError: Error, Hashable, Sendable {
    case unexpected(at: Int)
    case unexpectedEnd
    /// A control character in a string, an escape that is none, half a surrogate pair, or no UTF-8.
    case badString(at: Int)
    case badNumber(at: Int)
    case duplicateName(at: Int)
    case tooDeep(at: Int)
    case tooMany(at: Int)
    /// Something stands behind the value.
    case trailing(at: Int)
}
