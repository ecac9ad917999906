import EventLoop
package import HTTPServer
import Primitives
import TrackerProtocol

/// The HTTP side of a tracker: announces and scrapes in bencode, JSON for all else, HTML at `/` alone (T11).
package final class HTTPService {
    unowned let core: TrackerCore
    private var server: HTTPServer?
    private var routes = RouteTable()
    let page = TrackerPage()
    let startedAt: Instant
    let catalogue: CatalogueNames
    private var budget: QuestionBudget

    // Used for every answer, so that their memory is taken once.
    var reply = AnnounceReply()
    var text = ByteWriter(capacity: 8192)

    init(core: TrackerCore) {
        self.core = core
        startedAt = core.now
        catalogue = CatalogueNames(core: core)
        budget = QuestionBudget(at: core.now)
        addOwnRoutes()
        addChunkRoutes()
    }

    /// Serves what comes in at the listeners, which stay their owner's.
    func start(_ listeners: [StreamListener]) throws(SocketError) {
        let proxies = TrustedProxies(core.configuration.proxies)
        server = try HTTPServer(loop: core.loop, listeners: listeners, proxies: proxies, handler: self)
    }

    func close() {
        catalogue.close()
        server?.close()
        server = nil
    }

    /// Adds a place to the JSON API; before the start.
    package func add(_ route: Route) {
        routes.add(route)
    }

    var counters: HTTPCounters { server?.counters ?? HTTPCounters() }
    var connectionCount: Int { server?.connectionCount ?? 0 }

    private func addOwnRoutes() {
        add(Route(.get, "/healthz") { $0.reply(HTTPResponse(status: 200, text: "ok\n")) })
        addQuestion("/", namesFiles: true) { $0.answerPage($1) }
        addQuestion("/metrics") { $0.answerMetrics($1) }
        addQuestion("/pieces") { $0.answerPieces($1) }
        addQuestion("/api/v1/stats") { $0.answerStatistics($1) }
        addQuestion("/api/v1/peers", namesFiles: true) { $0.answerPeers($1) }
    }

    /// Adds a place whose answer takes time, which is counted.
    ///
    /// - Parameter namesFiles: whether the answer needs the catalogue, and so the database.
    private func addQuestion(
        _ path: String,
        namesFiles: Bool = false,
        _ answer: @escaping (HTTPService, RoutedRequest) -> Void
    ) {
        add(
            Route(.get, path) { [unowned self] asked in
                guard admits(asked) else { return }
                guard namesFiles else { return counting { answer($0, asked) } }
                catalogue.refreshed { [weak self] in self?.counting { answer($0, asked) } }
            }
        )
    }

    /// Whether a question is answered now; else it is told when to come again.
    func admits(_ asked: RoutedRequest) -> Bool {
        let isExempt = asked.sender.isLoopback && core.registry.limits.exemptsLoopback
        if isExempt || budget.admits(at: core.now) { return true }
        let message = "Too much is asked of this tracker at the moment."
        asked.fail(429, "busy", message, retryAfter: budget.wait(at: core.now))
        return false
    }

    /// Counts the time that an answer takes.
    func counting(_ body: (HTTPService) -> Void) {
        let start = core.now
        body(self)
        let end = core.now
        budget.spent(end - start, at: end)
    }
}

extension HTTPService: HTTPHandler {
    package func mostBodyBytes(of request: HTTPRequest) -> Int? {
        guard case .route(let route, _) = routes.match(request.method, request.path) else { return nil }
        return route.mostBodyBytes
    }

    package func respond(to request: HTTPRequest, through exchange: HTTPExchange) {
        if request.method == .get || request.method == .head {
            if HTTPService.isCall("/announce", request.target) { return announce(request, through: exchange) }
            if HTTPService.isCall("/scrape", request.target) { return scrape(request, through: exchange) }
        }
        let asked = RoutedRequest(request, parameters: [], exchange: exchange)
        switch routes.match(request.method, request.path) {
        case .route(let route, let parameters):
            route.answer(RoutedRequest(request, parameters: parameters, exchange: exchange))
        case .otherMethods(let methods): refuse(asked, allowing: methods)
        case .nothing where HTTPService.isCall("/announce", request.target): refuse(asked, allowing: [.get])
        case .nothing where HTTPService.isCall("/scrape", request.target): refuse(asked, allowing: [.get])
        case .nothing: asked.fail(404, "not_found", "There is nothing at this path.")
        }
    }

    /// RFC 9110, 15.5.6: the answer names the methods that there are.
    private func refuse(_ asked: RoutedRequest, allowing methods: [HTTPMethod]) {
        let names = methods.map(\.rawValue).joined(separator: ", ")
        var response = HTTPResponse(status: 405, text: "This path is for \(names).\n")
        response.headers = [.init("Allow", names)]
        asked.reply(response)
    }

    /// Whether a target is `/announce`, `/announce?...` or `/announce/PASSKEY`.
    private static func isCall(_ path: StaticString, _ target: [UInt8]) -> Bool {
        guard target.span.bytes.matches(at: 0, path) else { return false }
        let end = path.utf8CodeUnitCount
        return target.count == end || target[end] == UInt8(ascii: "?") || target[end] == UInt8(ascii: "/")
    }
}
