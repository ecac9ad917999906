import Glibc

/// A folder of its own for one test, removed with the test.
package final class TemporaryFolder: Sendable {
    package let root: String

    package struct Failure: Error {
        let path: String
        let code: Int32
    }

    /// - Parameter isInMemory: on a file system without a disk, where there is one: what is synchronized takes no time.
    package init(isInMemory: Bool = false) throws {
        let parent = isInMemory && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(parent)/shoal-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(path: parent, code: errno) }
        root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { TemporaryFolder.remove(root) }

    /// Folders first emptied, links not followed.
    private static func remove(_ path: String) {
        if Glibc.remove(path) == 0 { return }
        guard let folder = opendir(path) else { return }
        defer {
            closedir(folder)
            rmdir(path)
        }
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { remove(path + "/" + name) }
        }
    }

    package func path(_ name: String) -> String { root + "/" + name }

    package func makeFolder(_ name: String) throws {
        var path = root
        for part in name.split(separator: "/") {
            path += "/" + part
            guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw Failure(path: path, code: errno) }
        }
    }

    package func write(_ bytes: [UInt8], to name: String) throws {
        if let slash = name.lastIndex(of: "/") { try makeFolder(String(name[..<slash])) }
        guard let file = fopen(path(name), "w") else { throw Failure(path: name, code: errno) }
        defer { fclose(file) }
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw Failure(path: name, code: errno) }
    }

    /// Overwrites part of a file that is there or not.
    package func write(_ bytes: ArraySlice<UInt8>, at offset: Int, of name: String) throws {
        if let slash = name.lastIndex(of: "/") { try makeFolder(String(name[..<slash])) }
        let file = open(path(name), O_WRONLY | O_CREAT, 0o644)
        guard file >= 0 else { throw Failure(path: name, code: errno) }
        defer { close(file) }
        let count = bytes.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, off_t(offset)) }
        guard count == bytes.count else { throw Failure(path: name, code: errno) }
    }

    package func read(_ name: String) throws -> [UInt8] {
        guard let file = fopen(path(name), "r") else { throw Failure(path: name, code: errno) }
        defer { fclose(file) }
        fseek(file, 0, SEEK_END)
        var bytes = [UInt8](repeating: 0, count: ftell(file))
        rewind(file)
        guard fread(&bytes, 1, bytes.count, file) == bytes.count else { throw Failure(path: name, code: errno) }
        return bytes
    }

    package func link(_ name: String, to target: String) throws {
        guard symlink(target, path(name)) == 0 else { throw Failure(path: name, code: errno) }
    }

    package func exists(_ name: String) -> Bool { access(path(name), F_OK) == 0 }

    /// The permission bits of a file; 0 without one.
    package func mode(of name: String) -> UInt32 {
        var status = stat()
        return lstat(path(name), &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    /// Bytes that look random and are the same each time.
    package func pattern(_ count: Int) -> [UInt8] {
        var state: UInt64 = UInt64(count) &+ 0x9e37_79b9
        return [UInt8](unsafeUninitializedCapacity: (count + 7) / 8 * 8) { buffer, used in
            let words = UnsafeMutableRawBufferPointer(buffer)
            var offset = 0
            while offset < count {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                words.storeBytes(of: state ^ state >> 29, toByteOffset: offset, as: UInt64.self)
                offset += 8
            }
            used = count
        }
    }
}
