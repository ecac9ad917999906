import EventLoop
package import HTTPClient
package import JSON
import Metainfo
package import Primitives
package import TrackerProtocol

/// Asks a tracker node what announces do not tell: its catalogue, accounts, peers, and who holds which piece.
///
/// Everything it owns runs on one loop thread of its own, which is this actor's executor.
package actor TrackerClient {
    package nonisolated let tracker: TrackerURL
    /// How the tracker is called in messages: no passkey.
    package nonisolated let place: String
    private nonisolated let loop: Loop
    private let http: HTTPClient
    private let passkeys: PasskeyFile?
    private nonisolated let isInsecure: Bool

    /// A torrent of 10 MiB (hardening F9) in base64, and its entry.
    private static let mostReplyBytes = 16 << 20

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - tracker: any of its URLs, of announces too.
    ///   - stateFolder: where its passkey is kept; `nil` keeps none.
    ///   - isInsecure: passwords may go over clear HTTP to anywhere.
    package init(
        _ tracker: TrackerURL,
        stateFolder: String?,
        isInsecure: Bool = false
    ) throws(TrackerClientError) {
        self.tracker = tracker
        // One port number speaks UDP and HTTP.
        place = tracker.scheme == .udp ? "http://\(tracker.place)" : tracker.root
        passkeys = stateFolder.map { PasskeyFile(folder: $0) }
        self.isInsecure = isInsecure
        do {
            loop = try Loop.started()
            http = try HTTPClient(loop: loop)
        } catch {
            throw TrackerClientError(.network, "cannot ask \(place): \(error)")
        }
    }

    deinit { loop.stop() }

    /// Ends what runs; later calls fail.
    package func close() { http.close() }

    // MARK: Accounts

    /// Makes an account, logs in, and keeps the passkey.
    package func register(_ credentials: Credentials) async throws(TrackerClientError) -> PasskeyGrant {
        try await enter("register", credentials)
    }

    /// Logs in, and keeps the passkey.
    package func login(_ credentials: Credentials) async throws(TrackerClientError) -> PasskeyGrant {
        try await enter("login", credentials)
    }

    /// Gives the passkey back and forgets it.
    ///
    /// - Returns: `false` where there was none.
    package func logout() async throws(TrackerClientError) -> Bool {
        guard let passkeys, passkeys.grant(for: tracker, at: now) != nil else { return false }
        var fault: TrackerClientError?
        do throws(TrackerClientError) {
            _ = try await ask("logout", .post)
        } catch  where error.kind == .login {
            // It was revoked already.
        } catch {
            fault = error
        }
        guard passkeys.forget(tracker) != nil else { throw unwritable }
        if let fault {
            throw TrackerClientError(
                fault.kind,
                "\(fault.sentence); the passkey is forgotten here, but the tracker still takes it"
            )
        }
        return true
    }

    private func enter(_ call: String, _ credentials: Credentials) async throws(TrackerClientError) -> PasskeyGrant {
        if let safetyFault { throw safetyFault }
        let json = try await ask(call, .post, body: JSONWriter.bytes(credentials.json))
        guard let grant = PasskeyGrant(json, user: credentials.user) else { throw unexpected }
        if let passkeys, !passkeys.keep(grant, for: tracker) { throw unwritable }
        return grant
    }

    /// Why no password goes to this tracker; `nil` where one may.
    ///
    /// In the clear everybody on the way can read it; inside a house that is its people's business.
    package nonisolated var safetyFault: TrackerClientError? {
        guard tracker.scheme != .https, !isInsecure else { return nil }
        let host = tracker.place.host
        if host.lowercased() == "localhost" { return nil }
        if let address = IPAddress(host), address.isLoopback || address.isPrivate { return nil }
        return TrackerClientError(
            .insecure,
            "\(place) would get the password in the clear over the internet; use https, or --insecure if you must"
        )
    }

    private var unwritable: TrackerClientError {
        TrackerClientError(.files, "the passkey of \(place) cannot be written to the state folder; see --state")
    }

    // MARK: Catalogue

    /// All files, in the order of their names' bytes.
    ///
    /// - Parameter page: as many are asked for at a time; a tracker gives 1000 at most.
    package func files(page size: Int = 1000) async throws(TrackerClientError) -> [CatalogueEntry] {
        var files: [CatalogueEntry] = []
        while true {
            let after = files.last.map { "&after=" + PercentEncoding.encode($0.name) } ?? ""
            let json = try await ask("files?limit=\(size)\(after)")
            guard let page = json.array else { throw unexpected }
            let entries = page.compactMap { CatalogueEntry($0) }
            // A server that repeats itself must not be asked for ever.
            let last = files.last?.name ?? ""
            let news = entries.filter { last.utf8.lexicographicallyPrecedes($0.name.utf8) }
            files += news
            guard page.count == size, !news.isEmpty, files.count < TrackerClient.mostFiles else {
                return files
            }
        }
    }

    private static let mostFiles = 200_000

    /// A file by its name, and the bytes of its .torrent file.
    package func file(_ name: String) async throws(TrackerClientError) -> (entry: CatalogueEntry, torrent: [UInt8]) {
        let json = try await ask("files/\(PercentEncoding.encode(name))")
        guard let entry = CatalogueEntry(json), let text = json["torrent"]?.string,
            let torrent = Base64URL.decode(text.utf8)
        else { throw unexpected }
        return (entry, torrent)
    }

    /// Registers a file by a name.
    ///
    /// - Parameter torrent: the bytes of its .torrent file.
    package func publish(_ name: String, torrent: [UInt8]) async throws(TrackerClientError) -> CatalogueEntry {
        let json = try await ask("files/\(PercentEncoding.encode(name))", .put, body: torrent)
        guard let entry = CatalogueEntry(json) else { throw unexpected }
        return entry
    }

    package func withdraw(_ name: String) async throws(TrackerClientError) {
        _ = try await ask("files/\(PercentEncoding.encode(name))", .delete)
    }

    // MARK: Questions

    /// Peers that announce.
    ///
    /// - Parameter infoHash: of one torrent; `nil` for all.
    package func peers(of infoHash: InfoHash? = nil) async throws(TrackerClientError) -> [AnnouncedPeer] {
        let json = try await ask("peers" + (infoHash.map { "?info_hash=\($0.hex)" } ?? ""))
        guard let peers = json.array else { throw unexpected }
        return peers.compactMap { AnnouncedPeer($0) }
    }

    /// Who holds which pieces; `nil` where nobody is there.
    package func holders(of infoHash: InfoHash) async throws(TrackerClientError) -> PieceHolderList? {
        let escaped = infoHash.bytes.map { "%" + Hex.encode([$0]) }.joined()
        do throws(TrackerClientError) {
            return PieceHolderList(try await ask("/pieces?info_hash=\(escaped)"))
        } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
    }

    /// Counts of the tracker, by their names.
    package func statistics() async throws(TrackerClientError) -> JSONMembers {
        let json = try await ask("stats")
        guard case .object(let members) = json else { throw unexpected }
        return members
    }

    /// All accounts, for administrators.
    package func users() async throws(TrackerClientError) -> [UserEntry] {
        let json = try await ask("users")
        guard let users = json.array else { throw unexpected }
        return users.compactMap { UserEntry($0) }
    }

    // MARK: Calls

    /// One call.
    ///
    /// - Parameter call: below `/api/v1/`, or from the root where it begins with `/`.
    /// - Returns: what a success has for a body; `.null` where that is empty.
    package func ask(
        _ call: String,
        _ method: HTTPClientRequest.Method = .get,
        body: [UInt8] = []
    ) async throws(TrackerClientError) -> JSONValue {
        var request = HTTPClientRequest(url: place + (call.hasPrefix("/") ? "" : "/api/v1/") + call)
        request.method = method
        request.body = body
        request.mostReplyBytes = TrackerClient.mostReplyBytes
        if let passkey { request.headers.append(("Authorization", "Bearer \(passkey)")) }
        let result = await withCheckedContinuation { continuation in
            _ = http.send(request) { continuation.resume(returning: $0) }
        }
        let reply: HTTPClientReply
        do throws(HTTPClientError) {
            reply = try result.get()
        } catch {
            throw TrackerClientError(.network, "\(place): \(error)")
        }
        let json = reply.body.isEmpty ? .null : try? JSONReader.read(reply.body)
        guard 200..<300 ~= reply.status else {
            throw TrackerClientError(
                APIFault(status: reply.status, json, retryAfter: reply.retryAfter?.components.seconds),
                at: place
            )
        }
        guard let json else { throw unexpected }
        return json
    }

    /// Of the URL itself, or of the state folder.
    private var passkey: String? {
        tracker.passkey ?? passkeys?.grant(for: tracker, at: now)?.passkey
    }

    private var now: Int64 { SystemClock.secondsSinceEpoch }

    private var unexpected: TrackerClientError {
        TrackerClientError(.stranger, "\(place) answered in words that no tracker of this program uses")
    }
}
