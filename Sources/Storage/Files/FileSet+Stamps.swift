import Glibc
import Metainfo
package import Primitives
import Synchronization

extension FileSet {
    /// How every file looked when we knew its bytes last; looked up once, then kept up to date by our own writing.
    ///
    /// Padding has none. A stamp is older than what it vouches for: whoever changes a file later changes its stamp too.
    package func stamps() throws(StorageError) -> [FileStamp?] {
        // One thread looks, the others wait for what it finds.
        try capturing.withLock { _ throws(StorageError) in
            if let known = record.withLock({ $0.stamps }) { return known }
            return try captureStamps()
        }
    }

    /// Looks at every file again, as before a check of all bytes.
    @discardableResult
    package func captureStamps() throws(StorageError) -> [FileStamp?] {
        var stamps: [FileStamp?] = []
        stamps.reserveCapacity(files.count)
        for index in files.indices { stamps.append(try stamp(ofFile: index)) }
        record.withLock { $0.stamps = stamps }
        return stamps
    }

    /// Makes everything written so far survive a loss of power, and returns the stamps of all files after that.
    ///
    /// Only then may a piece be recorded as verified. A write that goes on meanwhile is in the next round.
    package func synchronize() throws(StorageError) -> [FileStamp?] {
        // One at a time: the second would find the files taken and return before the first made them durable.
        try synchronizing.withLock { _ throws(StorageError) in try synchronizeWritten() }
    }

    private func synchronizeWritten() throws(StorageError) -> [FileStamp?] {
        var stamps = try stamps()
        var rest = record.withLock { record in
            defer { record.unsynchronized = [] }
            return record.unsynchronized
        }
        defer {
            let (rest, stamps) = (rest, stamps)
            record.withLock { record in
                record.unsynchronized.formUnion(rest)
                record.stamps = stamps
            }
        }
        for index in rest.sorted() {
            guard let stamp = try synchronize(file: index) else {
                // Nothing is left to make durable; without a stamp its pieces are hashed again.
                rest.remove(index)
                stamps[index] = nil
                throw .vanished(path: path(ofFile: index))
            }
            rest.remove(index)
            stamps[index] = stamp
        }
        return stamps
    }

    /// The pieces of `verified` that lie only in files which still look as `old` says.
    ///
    /// The others are to be hashed again: a crash of ours and the change of somebody else look the same.
    package func trusted(_ verified: Bitfield, stamps old: [FileStamp?]) throws(StorageError) -> Bitfield {
        let now = try captureStamps()
        guard old.count == files.count, verified.count == layout.pieceCount else {
            return Bitfield(count: layout.pieceCount)
        }
        var trusted = verified
        for (index, file) in files.enumerated() where !file.isPadding {
            if let known = now[index], known == old[index], known.size == file.length { continue }
            for piece in pieces(ofFile: index) { trusted[piece] = false }
        }
        return trusted
    }

    /// Returns `nil` when the file has no name any more.
    private func synchronize(file index: Int) throws(StorageError) -> FileStamp? {
        // A handle that was closed meanwhile is opened anew: the kernel writes back the file, not the descriptor.
        guard let handle = try existing(index, forWriting: true) else { return nil }
        try handle.synchronize()
        let status = try handle.status()
        guard status.st_nlink > 0 else {
            // The cached handle would go on writing into a file that nobody can find.
            close()
            return nil
        }
        return FileStamp(status)
    }

    private func stamp(ofFile index: Int) throws(StorageError) -> FileStamp? {
        guard !files[index].isPadding,
            let descriptor = try root.open(files[index].pathComponents, RootFolder.naming)
        else { return nil }
        let handle = FileHandle(descriptor.release(), isWritable: false, path: path(ofFile: index))
        let status = try handle.status()
        guard status.st_mode & S_IFMT != S_IFLNK else { throw .symlink(path: handle.path) }
        try check(status, ofFile: index, forWriting: false)
        return FileStamp(status)
    }
}
