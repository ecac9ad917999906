import HTTPServer

/// `/api/v1/chunks/SET`: the table of chunk folders over HTTP.
extension HTTPService {
    func addChunkRoutes() {
        add(Route(.get, "/api/v1/chunks/*") { [unowned self] in answerChunks(.table, $0) })
        add(
            Route(.put, "/api/v1/chunks/*", mostBodyBytes: ChunkQuestion.mostBodyBytes) { [unowned self] asked in
                answerChunks(.report(asked.body), asked)
            }
        )
        add(
            Route(.delete, "/api/v1/chunks/*") { [unowned self] asked in
                answerChunks(.leave(name: asked.parameter("name") ?? ""), asked)
            }
        )
    }

    /// Where the text protocol is spoken anybody may say the same words there, which know no accounts.
    private func answerChunks(_ question: ChunkQuestion, _ asked: RoutedRequest) {
        guard core.configuration.chunks != nil || mayAsk(asked) else { return }
        let (status, json) = core.chunks.answer(question, set: asked.parameters.first ?? "", from: asked.sender)
        asked.reply(json, status: status)
    }
}
