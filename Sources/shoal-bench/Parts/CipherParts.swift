import CBench
import CLibcrypto
import CSodium
import Cryptography
import Primitives
import SecurePeer

/// Sealing and opening of records, beside the ciphers that could do it: libcrypto's, which does, and libsodium's.
enum CipherParts {
    static let rounds = 40
    static let recordsPerRound = 64

    static func measured() throws(BenchError) -> [Measurement] {
        // One block with its header, and three: the most that we put into a record.
        try records(16_384 + 13) + (try records(SecureSession.maximumBodyByteCount))
    }

    /// In words, of what `measured` measures and of the parts of both sides in a handshake.
    static func summary(of records: [Measurement], handshakes: [Measurement]) -> String {
        let byteCount = SecureSession.maximumBodyByteCount
        func nanoseconds(_ name: String) -> Double {
            records.first { $0.name.hasPrefix("\(byteCount)") && $0.name.hasSuffix(name) }?.nanoseconds ?? .nan
        }
        func tenths(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
        let (sealed, opened, bare) = (
            nanoseconds("sealed"), nanoseconds("opened"), nanoseconds("libcrypto's ChaCha20-Poly1305")
        )
        let perSecond = handshakes.prefix(2).map { "\(Int(1e9 / max(1, $0.nanoseconds)))" }.joined(separator: " and ")
        return "One core: \(perSecond) handshakes a second (initiator, responder). The longest records: "
            + "\(tenths(Double(byteCount) / sealed)) GB/s sealed and \(tenths(Double(byteCount) / opened)) opened, "
            + "\((bare / sealed * 100).rounded() / 100) and \((bare / opened * 100).rounded() / 100) of the cipher's own."
    }

    private static func records(_ bodyByteCount: Int) throws(BenchError) -> [Measurement] {
        var stream = try RecordStream(bodyByteCount: bodyByteCount)
        let size = "\(bodyByteCount) bytes"
        let sealing = try Measurement.of("\(size): a record sealed", operations: recordsPerRound, on: &stream) {
            stream throws(BenchError) in
            for _ in 0..<recordsPerRound { try stream.seal() }
        }
        var another = try RecordStream(bodyByteCount: bodyByteCount)
        return [sealing, try another.opening("\(size): a record opened")]
            + (try PlainCiphers.measured(byteCount: bodyByteCount, "\(size):"))
    }
}

/// Two ends of a session, and the buffer between them.
private struct RecordStream: ~Copyable {
    private var sessions: Sessions
    private let parts: [[UInt8]]
    private var record: [UInt8]

    init(bodyByteCount: Int) throws(BenchError) {
        let meeting = try Party().meeting()
        sessions = meeting.sessions
        // As they are sent: a header, a block, a header, a block.
        var parts: [[UInt8]] = []
        var left = bodyByteCount
        while left > 0 {
            let block = min(16_384, max(0, left - 13))
            parts.append([UInt8](repeating: 1, count: left - block > 13 ? 13 : left - block))
            parts.append([UInt8](repeating: 7, count: block))
            left -= parts.suffix(2).reduce(0) { $0 + $1.count }
        }
        self.parts = parts
        record = [UInt8](repeating: 0, count: bodyByteCount + SecureSession.overheadByteCount)
    }

    mutating func seal() throws(BenchError) { try RecordStream.seal(parts, &record, &sessions.alice) }

    mutating func open() throws(BenchError) { try RecordStream.open(&record, &sessions.bob) }

    private static func seal(
        _ parts: [[UInt8]],
        _ record: inout [UInt8],
        _ session: inout SecureSession
    ) throws(BenchError) {
        var span = record.mutableSpan
        var room = span.mutableBytes
        do throws(SecureFault) {
            try session.seal(into: &room) { body in
                for part in parts { body.append(part.span.bytes) }
            }
        } catch {
            throw .failed("a record was not sealed: \(error)")
        }
    }

    private static func open(_ record: inout [UInt8], _ session: inout SecureSession) throws(BenchError) {
        var span = record.mutableSpan
        var room = span.mutableBytes
        do throws(SecureFault) {
            guard case .data = try session.open(&room, at: .zero).record else { throw .tampered }
        } catch {
            throw .failed("a record was not opened: \(error)")
        }
    }

    /// What is opened has to be sealed before, which is not timed.
    mutating func opening(_ name: String) throws(BenchError) -> Measurement {
        let clock = ContinuousClock()
        var best = Duration.seconds(1000)
        var allocations: UInt64 = 0
        for _ in 0..<CipherParts.rounds {
            var elapsed = Duration.zero
            allocations = 0
            for _ in 0..<CipherParts.recordsPerRound {
                try seal()
                let before = cbench_allocations()
                let start = clock.now
                try open()
                elapsed += clock.now - start
                allocations += cbench_allocations() - before
            }
            best = min(best, elapsed)
        }
        return Measurement(
            name: name,
            nanoseconds: best.inSeconds * 1e9 / Double(CipherParts.recordsPerRound),
            allocations: Double(allocations) / Double(CipherParts.recordsPerRound)
        )
    }
}

/// Ciphers as their libraries have them, with the key in place and nothing around them: what a record costs at least.
private enum PlainCiphers {
    static func measured(byteCount: Int, _ prefix: String) throws(BenchError) -> [Measurement] {
        let text = [UInt8](repeating: 7, count: byteCount)
        var sealed = [UInt8](repeating: 0, count: byteCount + 16)
        var measurements = [
            try libcrypto("\(prefix) libcrypto's ChaCha20-Poly1305", text, &sealed),
            try Measurement.of("\(prefix) libsodium's ChaCha20-Poly1305", operations: 16, on: &sealed) { sealed in
                for _ in 0..<16 {
                    crypto_aead_chacha20poly1305_ietf_encrypt(
                        &sealed,
                        nil,
                        text,
                        UInt64(byteCount),
                        nil,
                        0,
                        nil,
                        nonce,
                        key
                    )
                }
            },
        ]
        if crypto_aead_aes256gcm_is_available() == 1 {
            measurements.append(
                try Measurement.of("\(prefix) libsodium's AES-256-GCM", operations: 16, on: &sealed) { sealed in
                    for _ in 0..<16 {
                        crypto_aead_aes256gcm_encrypt(&sealed, nil, text, UInt64(byteCount), nil, 0, nil, nonce, key)
                    }
                }
            )
        }
        return measurements
    }

    private static let key = [UInt8](repeating: 1, count: 32)
    private static let nonce = [UInt8](repeating: 2, count: 12)

    private static func libcrypto(
        _ name: String,
        _ text: [UInt8],
        _ sealed: inout [UInt8]
    ) throws(BenchError) -> Measurement {
        guard let context = EVP_CIPHER_CTX_new() else { throw .failed("libcrypto has no memory") }
        defer { EVP_CIPHER_CTX_free(context) }
        EVP_EncryptInit_ex2(context, EVP_chacha20_poly1305(), key, nonce, nil)
        return try Measurement.of(name, operations: 16, on: &sealed) { sealed in
            var written: Int32 = 0
            for _ in 0..<16 {
                EVP_EncryptInit_ex2(context, nil, nil, nonce, nil)
                EVP_EncryptUpdate(context, &sealed, &written, text, Int32(text.count))
                EVP_EncryptFinal_ex(context, &sealed, &written)
            }
        }
    }
}
