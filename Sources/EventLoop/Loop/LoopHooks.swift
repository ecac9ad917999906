import CUV

/// The loop's own four handles: the bell for other threads, and the places in a turn where jobs run.
///
///     timers ─▶ prepare (jobs, interest changes) ─▶ poll (bell, sockets) ─▶ check (jobs) ─▶ closed handles
///
/// `Sendable` although unchecked: only `ring` is called from other threads, and `uv_async_send` is made for that.
final class LoopHooks: @unchecked Sendable {
    private let bell = LoopHooks.allocate(uv_async_t())
    private let prepare = LoopHooks.allocate(uv_prepare_t())
    private let check = LoopHooks.allocate(uv_check_t())
    /// Active only while jobs are left over: an idle handle makes the poll return at once.
    private let idle = LoopHooks.allocate(uv_idle_t())
    private var waits = true

    private static func allocate<Raw>(_ value: Raw) -> UnsafeMutablePointer<Raw> {
        let pointer = UnsafeMutablePointer<Raw>.allocate(capacity: 1)
        pointer.initialize(to: value)
        return pointer
    }

    deinit {
        bell.deallocate()
        prepare.deallocate()
        check.deallocate()
        idle.deallocate()
    }

    /// 0, or a negated errno; only the bell needs a descriptor, so only it can fail, and then nothing is open.
    func open(on uv: UnsafeMutablePointer<uv_loop_t>) -> Int32 {
        let code = uv_async_init(uv, bell) { raw in Loop.owning(raw?.pointee.loop)?.rung() }
        guard code == 0 else { return code }
        uv_prepare_init(uv, prepare)
        uv_prepare_start(prepare) { raw in Loop.owning(raw?.pointee.loop)?.prepareToPoll() }
        uv_check_init(uv, check)
        uv_check_start(check) { raw in Loop.owning(raw?.pointee.loop)?.runJobs() }
        uv_idle_init(uv, idle)
        return 0
    }

    func close() {
        close(bell)
        close(prepare)
        close(check)
        close(idle)
    }

    private func close<Raw>(_ raw: UnsafeMutablePointer<Raw>) {
        // Safe: every libuv handle begins with the fields of `uv_handle_t`. The memory outlives the close: it is freed
        // with this object, which the loop keeps until after it has run the close.
        uv_close(UnsafeMutableRawPointer(raw).assumingMemoryBound(to: uv_handle_t.self), nil)
    }

    /// Ends the poll, now or the next one. Any thread, as long as the bell is open.
    func ring() {
        uv_async_send(bell)
    }

    /// Whether the next poll may wait for events.
    func setWaits(_ waits: Bool) {
        guard waits != self.waits else { return }
        self.waits = waits
        if waits { uv_idle_stop(idle) } else { uv_idle_start(idle) { _ in } }
    }
}
