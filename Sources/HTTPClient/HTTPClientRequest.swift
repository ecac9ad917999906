package import Primitives

/// What is asked of a server, and how much is put up with.
package struct HTTPClientRequest: Sendable {
    package enum Method: String, Hashable, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    /// `http` or `https`, all that is not ASCII percent-encoded.
    package var url: String
    package var method = Method.get
    /// Name and value; a host other than the first of a redirect never sees `Authorization`.
    package var headers: [(name: String, value: String)] = []
    package var body: [UInt8] = []
    /// A reply's body; a longer one is an error. A tracker's 200 peers are 4 KiB, a MiB is enough for any (T14).
    package var mostReplyBytes = 1 << 20
    /// From the first byte of the name look-up to the last of the reply, time in our queue not counted.
    package var timeout = Duration.seconds(30)
    /// The only family to connect by, `nil` for either.
    package var family: AddressFamily?
    /// The address to connect from.
    package var localAddress: IPAddress?
    /// Redirects that are followed (T14). Only a `get` is repeated elsewhere.
    package var mostRedirects = 5

    package init(url: String) {
        self.url = url
    }
}

/// What a server answered, whatever its status.
package struct HTTPClientReply: Hashable, Sendable {
    package var status: Int
    package var body: [UInt8]
    /// In lower case, without parameters; empty where the server does not say.
    package var mediaType: String
    /// `Retry-After`, where it is a number of seconds (RFC 9110, 10.2.3).
    package var retryAfter: Duration?
    /// Who answered.
    package var remoteAddress: IPAddress?

    package init(
        status: Int,
        body: [UInt8] = [],
        mediaType: String = "",
        retryAfter: Duration? = nil,
        remoteAddress: IPAddress? = nil
    ) {
        self.status = status
        self.body = body
        self.mediaType = mediaType
        self.retryAfter = retryAfter
        self.remoteAddress = remoteAddress
    }
}
