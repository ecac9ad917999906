import CLinux
import Glibc

/// A thread of our own: file calls and reading from a person block, and Swift's shared pool must not.
package final class Worker {
    private var thread: pthread_t?

    /// - Returns: `nil` when the system has no thread left.
    package init?(named name: String, _ body: @escaping @Sendable () -> Void) {
        let task = Unmanaged.passRetained(Task(name: name, body: body))
        var thread = pthread_t()
        guard pthread_create(&thread, nil, { Worker.run($0) }, task.toOpaque()) == 0 else {
            task.release()
            return nil
        }
        self.thread = thread
    }

    /// Waits until the body has returned; every worker is joined once.
    package func join() {
        if let thread { pthread_join(thread, nil) }
        thread = nil
    }

    /// Lets it end by itself, instead of `join`.
    package func detach() {
        if let thread { pthread_detach(thread) }
        thread = nil
    }

    static var coreCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    private final class Task: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    private static func run(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let argument else { return nil }
        // Safe: the creator passed a retained task and gave its reference up.
        let task = Unmanaged<Task>.fromOpaque(argument).takeRetainedValue()
        blockSignals()
        clinux_name_thread(task.name)
        task.body()
        return nil
    }

    /// Signals belong to the loop's thread.
    private static func blockSignals() {
        var signals = sigset_t()
        sigfillset(&signals)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }
}
