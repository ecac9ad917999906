import CUV

/// A libuv handle on the heap, and the object that its callbacks belong to.
///
///     open ── close() ──▶ closing ── libuv's close callback ──▶ memory freed, object released
///
/// libuv holds a reference to the object until its close callback, so an object that nobody else holds stays alive
/// until it is closed; the loop closes at its end what is still open. Used on the loop's thread only.
package class Handle {
    package let loop: Loop
    /// `nil` before `open` and after `close`.
    private var raw: UnsafeMutablePointer<uv_handle_t>?

    init(on loop: Loop) {
        self.loop = loop
    }

    package final var isOpen: Bool { raw != nil }

    /// Allocates the handle and lets `initialise` open it. 0, or a negated errno and nothing is open.
    final func open<Raw>(_ type: Raw.Type, _ initialise: (UnsafeMutablePointer<Raw>) -> Int32) -> Int32 {
        guard raw == nil, !loop.isClosing else { return UV_ECANCELED.rawValue }
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: MemoryLayout<Raw>.size,
            alignment: MemoryLayout<Raw>.alignment
        )
        let code = initialise(memory.bindMemory(to: Raw.self, capacity: 1))
        guard code == 0 else {
            memory.deallocate()
            return code
        }
        // Safe: every libuv handle begins with the fields of `uv_handle_t`.
        let handle = memory.assumingMemoryBound(to: uv_handle_t.self)
        // Released in `close`'s callback, which libuv calls exactly once.
        handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
        raw = handle
        return 0
    }

    /// The handle as libuv's calls want it, `nil` when closed. `Raw` is the type given to `open`.
    final func pointer<Raw>(_ type: Raw.Type) -> UnsafeMutablePointer<Raw>? {
        guard let raw else { return nil }
        // Safe: `open` allocated the memory with that type.
        return UnsafeMutableRawPointer(raw).assumingMemoryBound(to: Raw.self)
    }

    /// Closes; no callback comes after it. May be called inside a callback and more than once.
    package func close() {
        guard let raw else { return }
        self.raw = nil
        uv_close(raw) { raw in
            guard let raw, let data = raw.pointee.data else { return }
            // Safe: the reference taken in `open`; libuv is done with the handle when it calls this.
            Unmanaged<Handle>.fromOpaque(data).release()
            UnsafeMutableRawPointer(raw).deallocate()
        }
    }

    /// The object of a handle that libuv calls back for: the one place where a C pointer becomes an object again.
    static func owner<Owner: Handle>(of raw: UnsafeMutableRawPointer?, as type: Owner.Type) -> Owner? {
        guard let data = raw?.assumingMemoryBound(to: uv_handle_t.self).pointee.data else { return nil }
        // Safe: `open` stored a retained `Handle` there, and it is released only after the last callback.
        return Unmanaged<Handle>.fromOpaque(data).takeUnretainedValue() as? Owner
    }

    /// Closes whatever handle the loop has; its own hooks carry no object and are closed by themselves.
    static func close(_ raw: UnsafeMutablePointer<uv_handle_t>?) {
        guard let raw, uv_is_closing(raw) == 0 else { return }
        owner(of: raw, as: Handle.self)?.close()
    }
}
