import EventLoop

/// SIGINT and SIGTERM become an event; SIGHUP, as with other servers, means that files are to be read again.
final class TrackerSignals {
    private var signals: Signals?
    private unowned let core: TrackerCore

    init(core: TrackerCore) throws(TrackerFault) {
        self.core = core
        do throws(SocketError) {
            signals = try Signals(loop: core.loop, [.interrupt, .terminate, .hangUp], handler: self)
        } catch {
            throw TrackerFault(.failed, "cannot wait for signals: \(error)")
        }
    }

    func close() {
        signals?.close()
        signals = nil
    }
}

extension TrackerSignals: SignalHandler {
    func signalReceived(_ signal: Signal) {
        guard signal != .hangUp else { return core.reloadLists() }
        // The second one ends the process at once: its default action is back.
        close()
        core.emit(.interrupted(signal: signal.number))
    }
}
