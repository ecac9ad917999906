import CLibcrypto

/// A text that is being sealed: encrypts what is appended to it, from wherever that lies, into its place.
package struct SealedText: ~Copyable {
    private let context: OpaquePointer
    private let start: UnsafeMutablePointer<UInt8>
    private let byteCount: Int
    private var written = 0
    private var isIntact = true

    /// - Parameter start: of room for `byteCount` bytes, which outlives this value.
    init(context: OpaquePointer, start: UnsafeMutablePointer<UInt8>, byteCount: Int) {
        unsafe self.context = context
        unsafe self.start = start
        self.byteCount = byteCount
    }

    /// How many bytes are still to come.
    package var left: Int { byteCount - written }

    var isComplete: Bool { isIntact && written == byteCount }

    /// Encrypts some bytes; more than are `left` spoil the whole text, which is then not sealed.
    package mutating func append(_ bytes: RawSpan) {
        guard !bytes.isEmpty else { return }
        guard bytes.byteCount <= left, let count = Int32(exactly: bytes.byteCount) else {
            isIntact = false
            return
        }
        unsafe bytes.withUnsafeBytes {
            let input = unsafe $0.bindMemory(to: UInt8.self).baseAddress
            var done: Int32 = 0
            // Safe: `count` bytes are read, and there is room for as many, as checked above.
            isIntact = unsafe EVP_EncryptUpdate(context, start + written, &done, input, count) == 1 && isIntact
        }
        written += bytes.byteCount
    }

    package mutating func append(_ byte: UInt8) {
        // Safe: the span ends before its byte does.
        unsafe withUnsafeBytes(of: byte) { append(unsafe RawSpan(_unsafeBytes: $0)) }
    }
}
