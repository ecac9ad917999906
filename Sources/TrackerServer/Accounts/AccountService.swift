import HTTPServer
import JSON
import Primitives
import TrackerAPI
import TrackerProtocol
import TrackerStore

/// Accounts and catalogue of a tracker, and their places in the JSON API.
final class AccountService {
    private unowned let core: TrackerCore
    private let accounts: AccountDesk?
    private let catalogue: CatalogueDesk
    private let passkeys: PasskeyWatch?

    /// A name and a password, each byte of which may be written as `\u0000`.
    private static let mostLoginBytes = 16 << 10
    /// Of a .torrent file (hardening F9).
    private static let mostTorrentBytes = 10 << 20

    init(core: TrackerCore) {
        self.core = core
        let needsAccounts = core.configuration.needsAccounts
        accounts = needsAccounts ? AccountDesk(core: core) : nil
        passkeys = needsAccounts ? PasskeyWatch(core: core) : nil
        catalogue = CatalogueDesk(core: core)
        addRoutes()
    }

    /// Reads the passkeys, where there are accounts.
    func start() async throws(StoreFault) { try await passkeys?.start() }

    func stop() {
        passkeys?.stop()
        accounts?.stop()
    }

    private func addRoutes() {
        let limit = AccountService.mostLoginBytes
        core.http.add(Route(.post, "/api/v1/register", mostBodyBytes: limit) { [weak self] in self?.register($0) })
        core.http.add(Route(.post, "/api/v1/login", mostBodyBytes: limit) { [weak self] in self?.login($0) })
        core.http.add(Route(.post, "/api/v1/logout", mostBodyBytes: 0) { [weak self] in self?.logout($0) })
        core.http.add(Route(.get, "/api/v1/users") { [weak self] in self?.listUsers($0) })
        core.http.add(Route(.get, "/api/v1/files") { [weak self] in self?.listFiles($0) })
        core.http.add(Route(.get, "/api/v1/files/*") { [weak self] in self?.showFile($0) })
        core.http.add(
            Route(.put, "/api/v1/files/*", mostBodyBytes: AccountService.mostTorrentBytes) { [weak self] in
                self?.registerFile($0)
            }
        )
        core.http.add(Route(.delete, "/api/v1/files/*") { [weak self] in self?.removeFile($0) })
    }

    // MARK: Accounts

    private func register(_ asked: RoutedRequest) {
        guard let accounts else { return asked.fail(.noAccounts) }
        guard let credentials = AccountService.credentials(in: asked) else { return asked.fail(.badJSON) }
        accounts.register(credentials, from: asked.sender) { AccountService.reply($0, to: asked, status: 201) }
    }

    private func login(_ asked: RoutedRequest) {
        guard let accounts else { return asked.fail(.noAccounts) }
        guard let credentials = AccountService.credentials(in: asked) else { return asked.fail(.badJSON) }
        accounts.login(credentials, from: asked.sender) { AccountService.reply($0, to: asked, status: 200) }
    }

    private func logout(_ asked: RoutedRequest) {
        guard let accounts else { return asked.fail(.noAccounts) }
        guard let passkey = asked.bearer else { return asked.fail(.loginNeeded) }
        accounts.logout(passkey) { fault in
            if let fault { asked.fail(fault) } else { asked.reply([:]) }
        }
    }

    private static func credentials(in asked: RoutedRequest) -> Credentials? {
        (try? JSONReader.read(asked.body)).flatMap { Credentials($0) }
    }

    private static func reply(_ result: Result<PasskeyGrant, APIFault>, to asked: RoutedRequest, status: Int) {
        switch result {
        case .success(let grant): asked.reply(.object(grant.json), status: status)
        case .failure(let fault): asked.fail(fault)
        }
    }

    private func listUsers(_ asked: RoutedRequest) {
        guard accounts != nil else { return asked.fail(.noAccounts) }
        guard let user = account(of: asked), let store = core.store else { return asked.fail(.loginNeeded) }
        let after = asked.parameter("after") ?? ""
        guard after.isEmpty || AccountRules.isName(after) else { return asked.fail(.badName) }
        store.perform { (store) throws(StoreFault) -> [UserEntry]? in
            guard try store.account(named: user)?.isAdmin == true else { return nil }
            return try store.accounts(after: after, limit: CatalogueDesk.page).map {
                UserEntry(user: $0.name, isAdmin: $0.isAdmin, created: $0.created)
            }
        } then: { result in
            switch result {
            case .success(let users?): asked.reply(.array(users.map { .object($0.json) }))
            case .success(nil): asked.fail(.adminNeeded)
            case .failure(let fault): asked.fail(.database(fault))
            }
        }
    }

    // MARK: Files

    private func listFiles(_ asked: RoutedRequest) {
        guard accounts == nil || account(of: asked) != nil else { return asked.fail(.loginNeeded) }
        let after = asked.parameter("after") ?? ""
        guard after.isEmpty || AccountRules.isFileName(after) else { return asked.fail(.badFileName) }
        guard core.http.admits(asked) else { return }
        let limit = asked.parameter("limit").flatMap { Int($0) } ?? CatalogueDesk.page
        catalogue.list(after: after, limit: limit) { result in
            switch result {
            case .success(let entries): asked.reply(.array(entries.map { .object($0.json) }))
            case .failure(let fault): asked.fail(fault)
            }
        }
    }

    private func showFile(_ asked: RoutedRequest) {
        guard accounts == nil || account(of: asked) != nil else { return asked.fail(.loginNeeded) }
        guard core.http.admits(asked) else { return }
        catalogue.file(asked.parameters[0]) { [core] result in
            switch result {
            case .success(let (entry, torrent)):
                core.http.counting { _ in asked.reply(AccountService.response(entry, torrent)) }
            case .failure(let fault): asked.fail(fault)
            }
        }
    }

    /// The entry with one more member, written by hand: the text of a torrent needs no look at each of its millions of bytes.
    private static func response(_ entry: CatalogueEntry, _ torrent: [UInt8]) -> HTTPResponse {
        var body = Array(JSONWriter.bytes(.object(entry.json)).dropLast())
        body += ",\"torrent\":\"".utf8
        body += torrent
        body += "\"}".utf8
        var response = HTTPResponse(mediaType: "application/json", body: body)
        response.headers = [.init("Cache-Control", "no-store"), .init("X-Content-Type-Options", "nosniff")]
        return response
    }

    private func registerFile(_ asked: RoutedRequest) {
        identify(asked) { [catalogue] asker in
            catalogue.register(asked.parameters[0], torrent: asked.body, by: asker) { result in
                switch result {
                case .success(let entry): asked.reply(.object(entry.json), status: 201)
                case .failure(let fault): asked.fail(fault)
                }
            }
        }
    }

    private func removeFile(_ asked: RoutedRequest) {
        identify(asked) { [catalogue] asker in
            catalogue.remove(asked.parameters[0], by: asker) { fault in
                if let fault { asked.fail(fault) } else { asked.reply([:]) }
            }
        }
    }

    // MARK: Who asks

    /// Whose passkey the request has; `nil` for none that is valid.
    private func account(of asked: RoutedRequest) -> String? {
        asked.bearer.flatMap { core.admission.passkeys?.account(of: Array($0.utf8).span.bytes, at: core.now) }
    }

    /// Goes on with who asks, or says that a login is needed.
    private func identify(_ asked: RoutedRequest, then body: @escaping (CatalogueDesk.Asker) -> Void) {
        guard accounts != nil else {
            return body(CatalogueDesk.Asker(owner: .address("\(asked.sender.host)")))
        }
        guard let user = account(of: asked), let store = core.store else { return asked.fail(.loginNeeded) }
        store.perform { (store) throws(StoreFault) in
            try store.account(named: user)?.isAdmin == true
        } then: { result in
            switch result {
            case .success(let isAdmin): body(CatalogueDesk.Asker(owner: .account(user), isAdmin: isAdmin))
            case .failure(let fault): asked.fail(.database(fault))
            }
        }
    }
}

extension RoutedRequest {
    fileprivate func fail(_ fault: APIFault) {
        fail(fault.status, fault.code, fault.message, retryAfter: fault.retryAfter)
    }
}
