/// The operation did not end in time.
package struct DeadlineExceeded: Error, CustomStringConvertible {
    package let limit: Duration

    package var description: String { "nothing happened within \(limit)" }
}

/// What the operation returns, or `DeadlineExceeded`: a test that waits for an event fails instead of hanging.
///
/// The operation is cancelled at the limit but not waited for: it may hang in something that cancellation does not end.
package func withDeadline<Value: Sendable>(
    _ limit: Duration = .seconds(30),
    operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let (results, continuation) = AsyncStream<Result<Value, any Error>>.makeStream()
    let work = Task {
        do {
            continuation.yield(.success(try await operation()))
        } catch {
            continuation.yield(.failure(error))
        }
    }
    let alarm = Task {
        try await Task.sleep(for: limit)
        continuation.yield(.failure(DeadlineExceeded(limit: limit)))
    }
    defer {
        work.cancel()
        alarm.cancel()
    }
    for await result in results { return try result.get() }
    throw CancellationError()
}

/// Events in the order in which they happen, for one test to wait for.
package final class EventLog<Event: Sendable>: Sendable {
    private let stream: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation

    package init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    package func record(_ event: Event) {
        continuation.yield(event)
    }

    /// The next event, waited for.
    package func next(within limit: Duration = .seconds(30)) async throws -> Event {
        let stream = stream
        return try await withDeadline(limit) {
            for await event in stream { return event }
            throw CancellationError()
        }
    }

    /// The next events, waited for.
    package func next(_ count: Int, within limit: Duration = .seconds(30)) async throws -> [Event] {
        var events: [Event] = []
        while events.count < count { events.append(try await next(within: limit)) }
        return events
    }
}
