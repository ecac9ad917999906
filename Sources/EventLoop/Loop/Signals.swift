import CUV
import Glibc

/// The signals that a program may wait for.
package enum Signal: Hashable, Sendable, CaseIterable {
    case interrupt
    case terminate
    case hangUp
    case windowChanged
    case user1

    /// The number that `kill` takes, and that 128 is added to for an exit code.
    package var number: Int32 {
        switch self {
        case .interrupt: SIGINT
        case .terminate: SIGTERM
        case .hangUp: SIGHUP
        case .windowChanged: SIGWINCH
        case .user1: SIGUSR1
        }
    }
}

/// Whom signals tell.
package protocol SignalHandler: AnyObject {
    func signalReceived(_ signal: Signal)
}

/// Waits for signals of the process; while it is open their default action does not happen.
package final class Signals {
    package weak var handler: (any SignalHandler)?
    private var watchers: [SignalWatcher] = []

    package init(loop: Loop, _ signals: Set<Signal>, handler: (any SignalHandler)? = nil) throws(SocketError) {
        self.handler = handler
        for signal in signals {
            let watcher = SignalWatcher(loop: loop, signal: signal)
            watchers.append(watcher)
            let code = watcher.start { [weak self] in self?.handler?.signalReceived($0) }
            guard code == 0 else {
                close()
                throw SocketError(code: code)
            }
        }
    }

    /// Gives the signals their default action back.
    package func close() {
        for watcher in watchers { watcher.close() }
        watchers = []
    }
}

private final class SignalWatcher: Handle {
    private let signal: Signal
    private var action: ((Signal) -> Void)?

    init(loop: Loop, signal: Signal) {
        self.signal = signal
        super.init(on: loop)
    }

    func start(_ action: @escaping (Signal) -> Void) -> Int32 {
        self.action = action
        let code = open(uv_signal_t.self) { uv_signal_init(loop.uv, $0) }
        guard code == 0, let raw = pointer(uv_signal_t.self) else { return code }
        return uv_signal_start(
            raw,
            { raw, _ in Handle.owner(of: raw, as: SignalWatcher.self)?.received() },
            signal.number
        )
    }

    override func close() {
        action = nil
        super.close()
    }

    private func received() {
        action?(signal)
    }
}
