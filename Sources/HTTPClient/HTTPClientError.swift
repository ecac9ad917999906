package import Primitives

/// Why there is no reply. Descriptions name no URL, which may have a passkey in it (R13).
package enum HTTPClientError: Error, Hashable, Sendable {
    /// Not a URL, or one of another scheme than http and https.
    case badURL
    /// A line break in it would make two of it.
    case badHeader
    case hostNotFound
    /// The host has no address of the family asked for.
    case noAddress(AddressFamily)
    case refused
    case unreachable
    case timedOut
    /// The certificate is not to be trusted; libcurl's own words.
    case certificate(String)
    /// TLS could not be agreed on; libcurl's own words.
    case secureConnection(String)
    case replyTooLong(limit: Int)
    /// Another protocol is spoken there.
    case noHTTP
    /// It does not follow the rules of HTTP; libcurl's own words.
    case malformedReply(String)
    /// The connection ended before the reply did.
    case cutShort
    case tooManyRedirects(limit: Int)
    /// A server of the internet sent us to an address that is not of it (T14).
    case redirectToPrivate(IPAddress)
    /// Another scheme than http and https, or from https to http.
    case redirectRefused
    /// This machine does not have the address to connect from.
    case localAddress(IPAddress)
    /// Too many are waiting already.
    case tooManyRequests
    /// The client is closed.
    case closed
    case other(String)
}

extension HTTPClientError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .badURL: "the address is not an http or https URL"
        case .badHeader: "a header has characters that it may not have"
        case .hostNotFound: "the name of the host is not known"
        case .noAddress(let family): "the host has no \(family) address"
        case .refused: "connection refused: nothing listens there"
        case .unreachable: "the host cannot be reached"
        case .timedOut: "no answer in time"
        case .certificate(let words): "the certificate of the server is not to be trusted: \(words)"
        case .secureConnection(let words): "no secure connection could be made: \(words)"
        case .replyTooLong(let limit): "the reply is longer than \(limit) bytes"
        case .noHTTP: "the reply is no HTTP: something else listens there"
        case .malformedReply(let words): "the reply breaks the rules of HTTP: \(words)"
        case .cutShort: "the connection ended before the reply did"
        case .tooManyRedirects(let limit): "redirected more than \(limit) times"
        case .redirectToPrivate(let address):
            "redirected from the internet to \(address), which is not an address of the internet"
        case .redirectRefused: "redirected to a URL that is not http or https, or from https to http"
        case .localAddress(let address): "this machine cannot connect from \(address)"
        case .tooManyRequests: "too many requests are waiting already"
        case .closed: "closed"
        case .other(let words): words
        }
    }
}
