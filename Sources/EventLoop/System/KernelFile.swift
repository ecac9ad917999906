import Glibc

/// Files under `/proc`, which are written as they are read and have no size.
package enum KernelFile {
    /// The beginning, up to `limit` bytes; `nil` where there is no such file.
    package static func read(_ path: String, limit: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            while count < limit {
                // Safe: the kernel writes at most as many bytes as are left of the buffer.
                let got = Glibc.read(descriptor, buffer.baseAddress?.advanced(by: count), limit - count)
                guard got > 0 else { break }
                count += got
            }
        }
    }
}
