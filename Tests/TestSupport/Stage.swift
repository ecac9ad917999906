package import EventLoop

/// An actor on a loop, as the engine's node is: tests put their code and objects there.
package actor Stage {
    package nonisolated let loop: Loop
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Handlers are held weakly by what they serve.
    package private(set) var kept: [AnyObject] = []

    package init(_ loop: Loop) {
        self.loop = loop
    }

    @discardableResult
    package func perform<Result: Sendable>(
        _ body: @Sendable (isolated Stage) throws -> Result
    ) async rethrows -> Result {
        try body(self)
    }

    /// Keeps the object until the stage goes.
    @discardableResult
    package func keep<Object: AnyObject>(_ object: Object) -> Object {
        kept.append(object)
        return object
    }
}

/// A running loop for one test, stopped at its end.
package func withStage<Result: Sendable>(
    _ body: @escaping @Sendable (Stage) async throws -> Result
) async throws -> Result {
    let loop = try Loop()
    try loop.start()
    defer { loop.stop() }
    let stage = Stage(loop)
    return try await withDeadline(.seconds(60)) { try await body(stage) }
}

/// A value that a test hands to the stage, and does not touch again itself.
package struct Shared<Value>: @unchecked Sendable {
    package let value: Value

    package init(_ value: Value) {
        self.value = value
    }
}
