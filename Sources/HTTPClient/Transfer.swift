import CCurl
import EventLoop
import Glibc
import Primitives

/// One request on its way: libcurl's easy handle, and what has come of the reply.
///
/// Confined to the loop. libcurl calls back only from inside calls of `HTTPClient`, which keeps the object meanwhile.
final class Transfer {
    /// Headers of a reply and of the redirects before it: trackers send a few hundred bytes.
    private static let mostHeaderBytes = 64 << 10

    let ticket: HTTPClient.Ticket
    let easy: UnsafeMutableRawPointer
    /// Host and port as they stand in the URL.
    let host: String
    let completion: (Result<HTTPClientReply, HTTPClientError>) -> Void
    private let request: HTTPClientRequest
    private let isPublic: (IPAddress) -> Bool
    private var headerList: UnsafeMutablePointer<curl_slist>?
    /// What libcurl has to say of an error beyond its code.
    private let explanation = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private var body: [UInt8] = []
    private var headerBytes = 0
    /// A connection has been tried, and one to a public address.
    private var wasTried = false
    private var wasPublic = false
    /// What ended the transfer from our side.
    private var refusal: HTTPClientError?

    init?(
        _ request: HTTPClientRequest,
        ticket: HTTPClient.Ticket,
        isPublic: @escaping (IPAddress) -> Bool,
        completion: @escaping (Result<HTTPClientReply, HTTPClientError>) -> Void
    ) {
        guard let easy = curl_easy_init() else { return nil }
        self.easy = easy
        self.ticket = ticket
        self.request = request
        let place = request.url.drop { $0 != "/" }.drop { $0 == "/" }
        host = place.prefix { $0 != "/" && $0 != "?" }.lowercased()
        self.isPublic = isPublic
        self.completion = completion
        explanation.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(easy)
        explanation.deallocate()
        curl_slist_free_all(headerList)
    }

    /// The transfer an easy handle belongs to.
    static func owning(_ easy: UnsafeMutableRawPointer) -> Transfer? {
        guard let owner = ccurl_owner(easy) else { return nil }
        // Safe: `prepare` stored the object, and it frees the handle when it goes.
        return Unmanaged<Transfer>.fromOpaque(owner).takeUnretainedValue()
    }

    // MARK: Before

    /// Tells libcurl what to do; the error that ends it at once, if there is one.
    func prepare(agent: String, authorities: String?) -> HTTPClientError? {
        // A NUL would cut the text short on its way through C, and spaces and controls have no place in a URL.
        guard request.url.utf8.allSatisfy({ 0x21...0x7e ~= $0 }), let scheme = Transfer.scheme(of: request.url) else {
            return .badURL
        }
        // Safe: libcurl gives it back from inside calls of the client only, which holds the object.
        ccurl_set_pointer(easy, CURLOPT_PRIVATE, Unmanaged.passUnretained(self).toOpaque())
        // Safe: it is freed after the handle.
        ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, explanation)
        ccurl_set_text(easy, CURLOPT_URL, request.url)
        ccurl_set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        ccurl_set_text(easy, CURLOPT_USERAGENT, agent)
        prepareConnection()
        prepareRedirects(from: scheme)
        if let authorities { ccurl_set_text(easy, CURLOPT_CAINFO, authorities) }
        setCallbacks()
        return prepareMessage() ? nil : .badHeader
    }

    private static func scheme(of url: String) -> String? {
        let start = url.prefix(8).lowercased()
        return start == "https://" ? "https" : start.hasPrefix("http://") ? "http" : nil
    }

    private func prepareConnection() {
        ccurl_set_number(easy, CURLOPT_NOSIGNAL, 1)
        // Without it the end of a transfer waits for its name look-up, up to half a minute, and the loop with it.
        ccurl_set_number(easy, CURLOPT_QUICK_EXIT, 1)
        // No proxy, whatever the environment says: the rules on addresses would judge the proxy's, and a tracker would
        // learn the proxy's address in place of ours.
        ccurl_set_text(easy, CURLOPT_PROXY, "")
        ccurl_set_number(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        // A connection each: the rules on addresses are held where one is opened, and announces are half an hour apart.
        ccurl_set_number(easy, CURLOPT_FRESH_CONNECT, 1)
        ccurl_set_number(easy, CURLOPT_FORBID_REUSE, 1)
        let milliseconds = max(1, request.timeout / .milliseconds(1))
        ccurl_set_number(easy, CURLOPT_TIMEOUT_MS, Int(min(milliseconds, 3_600_000)))
        switch request.family {
        case .v4: ccurl_set_number(easy, CURLOPT_IPRESOLVE, Int(CURL_IPRESOLVE_V4))
        case .v6: ccurl_set_number(easy, CURLOPT_IPRESOLVE, Int(CURL_IPRESOLVE_V6))
        case nil: break
        }
        if let address = request.localAddress { ccurl_set_text(easy, CURLOPT_INTERFACE, "host!\(address)") }
    }

    private func prepareRedirects(from scheme: String) {
        let most = request.method == .get ? max(0, request.mostRedirects) : 0
        ccurl_set_number(easy, CURLOPT_FOLLOWLOCATION, most > 0 ? 1 : 0)
        ccurl_set_number(easy, CURLOPT_MAXREDIRS, most)
        // Who asked for https does not get the passkey sent in the clear.
        ccurl_set_text(easy, CURLOPT_REDIR_PROTOCOLS_STR, scheme == "https" ? "https" : "http,https")
    }

    /// False if a header is not one.
    private func prepareMessage() -> Bool {
        // libcurl's own request for leave costs a round trip, or a second where the server does not know it.
        var lines = ["Expect:"]
        for header in request.headers {
            guard (header.name + header.value).utf8.allSatisfy({ 0x20...0x7e ~= $0 || $0 >= 0x80 }) else {
                return false
            }
            lines.append("\(header.name): \(header.value)")
        }
        let isTyped = request.headers.contains { $0.name.lowercased() == "content-type" }
        if !request.body.isEmpty, !isTyped { lines.append("Content-Type: application/octet-stream") }
        for line in lines { headerList = curl_slist_append(headerList, line) ?? headerList }
        ccurl_set_pointer(easy, CURLOPT_HTTPHEADER, headerList)
        guard request.method != .get else { return true }
        if request.method != .delete || !request.body.isEmpty {
            // Safe: libcurl copies the bytes before it returns.
            request.body.withUnsafeBytes { _ = ccurl_set_body(easy, $0.baseAddress, curl_off_t($0.count)) }
        }
        ccurl_set_text(easy, CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        return true
    }

    // MARK: Callbacks

    private func setCallbacks() {
        // Safe: as for CURLOPT_PRIVATE; so are the three uses below.
        let context = Unmanaged.passUnretained(self).toOpaque()
        ccurl_set_body_writer(
            easy,
            { bytes, size, count, context in
                guard let bytes, let context else { return 0 }
                let room = UnsafeRawBufferPointer(start: bytes, count: size * count)
                return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().received(room)
            },
            context
        )
        ccurl_set_header_writer(
            easy,
            { _, size, count, context in
                guard let context else { return 0 }
                return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().receivedHeader(size * count)
            },
            context
        )
        ccurl_set_socket_opener(
            easy,
            { context, _, address in
                guard let context, let address else { return CURL_SOCKET_BAD }
                return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().open(&address.pointee)
            },
            context
        )
    }

    /// The bytes that were taken: fewer than there are end the transfer.
    private func received(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard bytes.count <= request.mostReplyBytes - body.count else {
            refusal = .replyTooLong(limit: request.mostReplyBytes)
            return 0
        }
        body.append(contentsOf: bytes)
        return bytes.count
    }

    private func receivedHeader(_ count: Int) -> Int {
        headerBytes += count
        guard headerBytes <= Transfer.mostHeaderBytes else {
            refusal = .replyTooLong(limit: Transfer.mostHeaderBytes)
            return 0
        }
        return count
    }

    /// Opens a socket, or refuses to: a server of the internet must not send us into our own network (T14).
    ///
    /// The first hop is the user's word and may lead anywhere.
    private func open(_ address: inout curl_sockaddr) -> curl_socket_t {
        let count = Int(address.addrlen)
        let endpoint = withUnsafeBytes(of: &address.addr) { head in
            // Safe: the field is the head of a buffer that is `addrlen` long, as libcurl's documentation says.
            SocketAddress.endpoint(in: UnsafeRawBufferPointer(start: head.baseAddress, count: count), count: count)
        }
        guard let endpoint else { return CURL_SOCKET_BAD }
        wasTried = true
        if isPublic(endpoint.address) {
            wasPublic = true
        } else if wasPublic, ccurl_number(easy, CURLINFO_REDIRECT_COUNT) > 0 {
            refusal = .redirectToPrivate(endpoint.address)
            return CURL_SOCKET_BAD
        }
        let kind = address.socktype | Int32(bitPattern: SOCK_CLOEXEC.rawValue)
        return socket(address.family, kind, address.protocol)
    }

    // MARK: After

    func result(_ code: CURLcode) -> Result<HTTPClientReply, HTTPClientError> {
        guard code == CURLE_OK else { return .failure(refusal ?? error(code)) }
        let type = Transfer.text(ccurl_text(easy, CURLINFO_CONTENT_TYPE)).split(separator: ";").first ?? ""
        let wait = ccurl_seconds(easy, CURLINFO_RETRY_AFTER)
        return .success(
            HTTPClientReply(
                status: ccurl_number(easy, CURLINFO_RESPONSE_CODE),
                body: body,
                mediaType: type.lowercased().filter { $0 != " " },
                retryAfter: wait > 0 ? .seconds(wait) : nil,
                remoteAddress: IPAddress(Transfer.text(ccurl_text(easy, CURLINFO_PRIMARY_IP)))
            )
        )
    }

    private func error(_ code: CURLcode) -> HTTPClientError {
        let words = Transfer.text(explanation.pointee == 0 ? curl_easy_strerror(code) : UnsafePointer(explanation))
        switch code {
        // An answer of another protocol has this code too: libcurl takes it for HTTP/0.9.
        case CURLE_UNSUPPORTED_PROTOCOL where wasTried && !isRedirected: return .noHTTP
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: return isRedirected ? .redirectRefused : .badURL
        case CURLE_COULDNT_RESOLVE_HOST: return request.family.map { .noAddress($0) } ?? .hostNotFound
        case CURLE_COULDNT_CONNECT: return connectionError
        case CURLE_INTERFACE_FAILED: return request.localAddress.map { .localAddress($0) } ?? .other(words)
        case CURLE_OPERATION_TIMEDOUT: return .timedOut
        case CURLE_TOO_MANY_REDIRECTS: return .tooManyRedirects(limit: request.mostRedirects)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR: return .certificate(words)
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CIPHER: return .secureConnection(words)
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_SEND_ERROR: return .cutShort
        // Without an error of the system it is libcurl that does not like what it read.
        case CURLE_RECV_ERROR: return systemError == 0 ? .malformedReply("a length is wrong") : .cutShort
        case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING: return .malformedReply(words)
        default: return .other(words)
        }
    }

    private var connectionError: HTTPClientError {
        switch Int32(truncatingIfNeeded: systemError) {
        case ECONNREFUSED: .refused
        case ETIMEDOUT: .timedOut
        default: wasTried ? .unreachable : request.family.map { .noAddress($0) } ?? .unreachable
        }
    }

    private var systemError: Int { ccurl_number(easy, CURLINFO_OS_ERRNO) }
    private var isRedirected: Bool { ccurl_number(easy, CURLINFO_REDIRECT_COUNT) > 0 }

    private static func text(_ words: UnsafePointer<CChar>?) -> String {
        // Safe: libcurl's texts end with a NUL, and live as long as the easy handle.
        words.map { String(cString: $0) } ?? ""
    }
}
