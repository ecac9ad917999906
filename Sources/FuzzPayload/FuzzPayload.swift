import Cryptography
import Primitives
import SecurePeer

/// libFuzzer's entry: one byte that chooses, then the payload of a handshake message, or a certificate.
///
/// What is read is checked against its promises, and a broken one ends the process.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafeRawPointer?, _ count: Int) -> CInt {
    // Safe: libFuzzer passes `count` readable bytes.
    let input = unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    guard let choice = input.first else { return 0 }
    let rest = Array(input.dropFirst())
    switch choice & 3 {
    case 0: readPayload(rest, isInitiator: false)
    case 1: readPayload(rest, isInitiator: true)
    default: readCertificate(rest, at: choice & 4 == 0 ? 1_700_000_000 : .max)
    }
    return 0
}

private let limits = SecureLimits()

private func readPayload(_ bytes: [UInt8], isInitiator: Bool) {
    let payload: Payload
    do throws(PayloadFault) {
        payload = try Payload(bytes.span.bytes, isInitiator: isInitiator, limits: limits)
    } catch {
        precondition(!error.description.isEmpty, "a fault without words")
        return
    }
    precondition(isInitiator == (payload.swarm != nil), "a swarm of a responder")
    precondition(isInitiator == (payload.greeting.listenPort != nil), "a port of a responder")
    precondition(payload.greeting.listenPort != 0, "port 0")
    // Bytes that are no text become three each.
    precondition(payload.greeting.client.utf8.count <= 3 * limits.clientByteCount, "a name over the limit")
    readCertificate(payload.certificate, at: 1_700_000_000)
    // What is read is written in its only form, and read again.
    let written = payload.bytes
    guard String(decoding: payload.greeting.client.utf8, as: UTF8.self).utf8.count <= limits.clientByteCount,
        written.count <= 1024
    else { return }
    do throws(PayloadFault) {
        let again = try Payload(written.span.bytes, isInitiator: isInitiator, limits: limits)
        precondition(again == payload, "written otherwise than read")
    } catch {
        precondition(false, "what we write we do not read: \(error)")
    }
}

private func readCertificate(_ bytes: [UInt8], at unixSeconds: Int64) {
    guard let staticKey = X25519.PublicKey(bytes.span.bytes, at: 36) else { return }
    do throws(CertificateFault) {
        let certificate = try Certificate(bytes.span.bytes, for: staticKey, at: unixSeconds)
        precondition(certificate.bytes == bytes, "written otherwise than read")
        precondition(certificate.notAfter - certificate.notBefore <= Certificate.longestSeconds, "valid too long")
    } catch {
        precondition(!error.description.isEmpty, "a fault without words")
    }
}
