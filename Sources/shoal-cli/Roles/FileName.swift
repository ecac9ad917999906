/// The name of one file, as opposed to a path.
enum FileName {
    /// Leads to nothing but a file directly inside a folder, and shows on a screen as what it is.
    static func isPlain(_ name: String) -> Bool {
        (1...255).contains(name.utf8.count) && name != "." && name != ".."
            && !name.utf8.contains { $0 < 0x20 || $0 == 0x7f || $0 == UInt8(ascii: "/") }
    }
}
