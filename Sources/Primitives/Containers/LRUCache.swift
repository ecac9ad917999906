/// A dictionary with a limit: the entry that was used least recently makes room.
///
/// Inlinable for the reason that `Heap` is.
@usableFromInline
package struct LRUCache<Key: Hashable, Value> {
    @usableFromInline
    struct Entry {
        @usableFromInline var value: Value
        @usableFromInline var usedAt: UInt64

        @inlinable
        init(value: Value, usedAt: UInt64) {
            self.value = value
            self.usedAt = usedAt
        }
    }

    @usableFromInline package let capacity: Int
    @usableFromInline var entries: [Key: Entry] = [:]
    @usableFromInline var clock: UInt64 = 0

    @inlinable
    package init(capacity: Int) { self.capacity = max(1, capacity) }

    @inlinable
    package var count: Int { entries.count }

    /// Whether the key is there; does not mark it as used.
    @inlinable
    package func contains(_ key: Key) -> Bool { entries[key] != nil }

    /// Reads; does not mark as used.
    @inlinable
    package func value(of key: Key) -> Value? { entries[key]?.value }

    /// Reads and marks as used.
    @inlinable
    package mutating func use(_ key: Key) -> Value? {
        guard let index = entries.index(forKey: key) else { return nil }
        clock += 1
        entries.values[index].usedAt = clock
        return entries.values[index].value
    }

    /// Stores, and returns the entry that had to go.
    @inlinable
    @discardableResult
    package mutating func insert(_ value: Value, for key: Key) -> (key: Key, value: Value)? {
        clock += 1
        let isNew = entries.updateValue(Entry(value: value, usedAt: clock), forKey: key) == nil
        guard isNew, entries.count > capacity else { return nil }
        // Linear, because capacities are in the hundreds and eviction is rarer than use.
        guard let oldest = entries.min(by: { $0.value.usedAt < $1.value.usedAt }) else { return nil }
        entries[oldest.key] = nil
        return (oldest.key, oldest.value.value)
    }

    @inlinable
    @discardableResult
    package mutating func remove(_ key: Key) -> Value? { entries.removeValue(forKey: key)?.value }

    @inlinable
    package var keys: [Key] { Array(entries.keys) }
}

extension LRUCache.Entry: Sendable where Key: Sendable, Value: Sendable {}
extension LRUCache: Sendable where Key: Sendable, Value: Sendable {}
