import Glibc
import Primitives
import Synchronization

/// The open files of all torrents, bounded: the one used least recently is closed first (hardening F14).
package final class OpenFiles: Sendable {
    struct Key: Hashable {
        let set: UInt64
        let file: Int
    }

    private struct State {
        var handles: LRUCache<Key, FileHandle>
        var lastSet: UInt64 = 0
    }

    private let state: Mutex<State>

    package init(capacity: Int = OpenFiles.defaultCapacity) {
        state = Mutex(State(handles: LRUCache(capacity: capacity)))
    }

    /// A quarter of what the process may open, so that sockets have the rest; at most 512, because reopening is cheap.
    package static var defaultCapacity: Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 64 }
        return max(8, Int(min(limit.rlim_cur / 4, 512)))
    }

    package var count: Int { state.withLock { $0.handles.count } }

    func newSet() -> UInt64 {
        state.withLock { state in
            state.lastSet += 1
            return state.lastSet
        }
    }

    func use(_ key: Key, forWriting: Bool) -> FileHandle? {
        state.withLock { state in
            guard let handle = state.handles.use(key), handle.isWritable || !forWriting else { return nil }
            return handle
        }
    }

    func keep(_ handle: FileHandle, for key: Key) {
        // The handle that had to go closes after the lock is let go, and only when no reader holds it.
        let evicted = state.withLock { $0.handles.insert(handle, for: key)?.value }
        _ = evicted
    }

    /// Closes every file that nobody is reading; what a process out of descriptors does before it gives up.
    func removeAll() {
        remove { _ in true }
    }

    func removeAll(of set: UInt64) {
        remove { $0.set == set }
    }

    private func remove(where isDoomed: @Sendable (Key) -> Bool) {
        let doomed = state.withLock { state in
            state.handles.keys.filter(isDoomed).compactMap { state.handles.remove($0) }
        }
        _ = doomed
    }
}
