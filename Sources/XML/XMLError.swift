/// Why a document is not read.
package enum XMLError: Error, Hashable, Sendable {
    /// Without expat nothing is read.
    case expatMissing
    /// The document is longer than 64 KiB.
    case tooLong
    /// Elements in elements, more than 16 deep.
    case tooDeep
    /// More than 2048 elements.
    case tooManyElements
    /// An element has more than 4 KiB of text.
    case textTooLong
    /// A document type brings entities along, and those are what documents grow by, or reach for files with.
    case documentType
    /// Not well-formed.
    case malformed
}

extension XMLError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .expatMissing: "expat is not installed (Debian's package libexpat1)"
        case .tooLong: "the document is longer than 64 KiB"
        case .tooDeep: "the document has elements more than 16 deep"
        case .tooManyElements: "the document has more than 2048 elements"
        case .textTooLong: "an element of the document has more than 4 KiB of text"
        case .documentType: "the document has a document type"
        case .malformed: "the document is not well-formed"
        }
    }
}
