import HTTPServer
import Primitives
import TrackerProtocol

/// Announces and scrapes: what is refused is an answer too, with status 200, for clients read it there alone (BEP 3).
extension HTTPService {
    func announce(_ request: HTTPRequest, through exchange: HTTPExchange) {
        text.removeAll()
        do throws(TrackerFailure) {
            try announce(request)
        } catch {
            fail(error)
        }
        answer(exchange)
    }

    private func announce(_ request: HTTPRequest) throws(TrackerFailure) {
        let now = core.now
        let sender = request.sender.address
        if core.admission.passkeys != nil { try core.admission.admit(request.target.span.bytes, at: now) }
        let query = try AnnounceQuery(request.query.span.bytes)
        try core.admission.admit(query.request.infoHash)
        try core.registry.announce(query.request, from: sender, query.details, at: now, into: &reply)
        core.registry.counters.announced(.http, query.request.event)
        var additions = HTTPAnswer.Additions(externalAddress: sender)
        additions.trackerID = core.identity
        if let holding = query.holding {
            if query.request.event != .stopped {
                core.registry.hold(holding, of: Endpoint(sender, query.request.port), for: query.request.infoHash)
            }
            // Only clients of our kind send it, and only they know what to do with the list.
            additions.nodes = otherNodes(asked: request)
        }
        HTTPAnswer.announce(reply, isCompact: query.isCompact, additions, to: &text)
    }

    /// Where else to announce: with the asker's passkey, which holds for all nodes of the database.
    private func otherNodes(asked request: HTTPRequest) -> [String] {
        let target = request.target
        guard core.admission.passkeys != nil, let passkey = Passkeys.passkey(in: target.span.bytes) else {
            return core.otherURLs
        }
        let text = String(decoding: passkey.copy(0..<passkey.byteCount) ?? [], as: UTF8.self)
        return core.otherURLs.map { "\($0)/\(text)" }
    }

    func scrape(_ request: HTTPRequest, through exchange: HTTPExchange) {
        text.removeAll()
        do throws(TrackerFailure) {
            if core.admission.passkeys != nil { try core.admission.admit(request.target.span.bytes, at: core.now) }
            let query = try ScrapeQuery(request.query.span.bytes)
            core.registry.counters.scraped(.http)
            HTTPAnswer.scrape(query, request.sender.address.family, core.registry, to: &text)
        } catch {
            fail(error)
        }
        answer(exchange)
    }

    private func fail(_ failure: TrackerFailure) {
        core.registry.counters.failed(failure)
        text.removeAll()
        HTTPAnswer.failure(failure, to: &text)
    }

    /// Sends what is in `text`.
    private func answer(_ exchange: HTTPExchange) {
        exchange.send(HTTPResponse(mediaType: "text/plain", body: text.bytes))
    }
}
