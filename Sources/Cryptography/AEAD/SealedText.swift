/// A text that is to be sealed: gathers what is appended, from wherever that lies, in the place where it is encrypted.
///
/// The cipher could encrypt each part from where it lies, which saves this copy and costs more than it: begun in the
/// middle of a block, part after part, it does not use the processor's vectors well. A record of three blocks with
/// their headers took 1.40 times as long as its cipher alone that way, 1.12 times with a cipher that follows the copy
/// in steps of 8 KiB, and takes 1.06 times as long with the cipher after all copies.
package struct SealedText: ~Copyable {
    private let start: UnsafeMutablePointer<UInt8>
    private let byteCount: Int
    private var appended = 0
    private var isTooLong = false

    /// - Parameter start: of room for `byteCount` bytes, which outlives this value.
    init(start: UnsafeMutablePointer<UInt8>, byteCount: Int) {
        unsafe self.start = start
        self.byteCount = byteCount
    }

    /// How many bytes are still to come.
    package var left: Int { byteCount - appended }

    /// Whether exactly the bytes are there that there is room for.
    var isComplete: Bool { !isTooLong && left == 0 }

    /// Appends some bytes; more than are `left` spoil the whole text, which is then not sealed.
    package mutating func append(_ bytes: RawSpan) {
        guard bytes.byteCount <= left else {
            isTooLong = true
            return
        }
        unsafe bytes.withUnsafeBytes { bytes in
            guard let source = unsafe bytes.bindMemory(to: UInt8.self).baseAddress else { return }
            // Safe: there is room for the bytes, as checked above, and nobody else has access to it.
            unsafe (start + appended).update(from: source, count: bytes.count)
        }
        appended += bytes.byteCount
    }

    package mutating func append(_ byte: UInt8) {
        // Safe: the span ends before its byte does.
        unsafe withUnsafeBytes(of: byte) { append(unsafe RawSpan(_unsafeBytes: $0)) }
    }
}
