package import Cryptography
import Primitives

/// An identity's word that it speaks through an X25519 key, for some days (secure-peer.md, §3).
///
///     "SPC1"  identity (32)  X25519 key (32)  not before (8)  not after (8)  signature (64)
package struct Certificate: Hashable, Sendable {
    package static let byteCount = 148
    /// Two identities' clocks may differ by an hour and still agree on what is valid now.
    package static let toleranceSeconds: UInt64 = 60 * 60
    /// A key that is stolen is of use no longer than this.
    package static let longestSeconds: UInt64 = 30 * 24 * 60 * 60

    private static let magic: StaticString = "SPC1"
    private static let purpose: StaticString = "SecPeer v1 static key certificate\0"

    package let key: Ed25519.PublicKey
    package let staticKey: X25519.PublicKey
    /// Unix seconds.
    package let notBefore: UInt64
    package let notAfter: UInt64
    package let signature: Ed25519.Signature

    /// Certifies a key; `nil` where it cannot be signed.
    init?(of staticKey: X25519.PublicKey, notBefore: UInt64, notAfter: UInt64, by key: Ed25519.SigningKey) {
        self.key = key.publicKey
        self.staticKey = staticKey
        self.notBefore = notBefore
        self.notAfter = notAfter
        let signed = Certificate.signedBytes(key.publicKey, staticKey, notBefore, notAfter)
        guard let signature = key.signature(of: signed.span.bytes) else { return nil }
        self.signature = signature
    }

    /// Reads a certificate and checks it, in the order of the design: what is cheap first.
    ///
    /// - Parameters:
    ///   - bytes: of a stranger.
    ///   - staticKey: the key that the handshake was made with.
    ///   - unixSeconds: what our clock says.
    package init(_ bytes: RawSpan, for staticKey: X25519.PublicKey, at unixSeconds: Int64) throws(CertificateFault) {
        guard bytes.byteCount == Certificate.byteCount else { throw .length(bytes.byteCount) }
        guard bytes.matches(at: 0, Certificate.magic), let key = Ed25519.PublicKey(bytes, at: 4),
            let certified = X25519.PublicKey(bytes, at: 36), let notBefore = bytes.bigEndian(UInt64.self, at: 68),
            let notAfter = bytes.bigEndian(UInt64.self, at: 76), let signature = Ed25519.Signature(bytes, at: 84)
        else { throw .magic }
        self.key = key
        self.staticKey = certified
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.signature = signature
        try checkDates(at: UInt64(max(0, unixSeconds)))
        guard certified == staticKey else { throw .otherStaticKey }
        let signed = Certificate.signedBytes(key, certified, notBefore, notAfter)
        guard Ed25519.verify(signature, of: signed.span.bytes, by: key) else { throw .signature }
    }

    /// Both dates are any numbers of 64 bits.
    private func checkDates(at now: UInt64) throws(CertificateFault) {
        guard notBefore < notAfter else { throw .datesReversed }
        guard notAfter - notBefore <= Certificate.longestSeconds else { throw .validTooLong }
        if now < notBefore, notBefore - now > Certificate.toleranceSeconds {
            throw .notValidNow(offBySeconds: notBefore - now)
        }
        if now > notAfter, now - notAfter > Certificate.toleranceSeconds {
            throw .notValidNow(offBySeconds: now - notAfter)
        }
    }

    package var bytes: [UInt8] {
        Certificate.fields(key, staticKey, notBefore, notAfter).bytes + signature.bytes
    }

    private static func signedBytes(
        _ key: Ed25519.PublicKey,
        _ staticKey: X25519.PublicKey,
        _ notBefore: UInt64,
        _ notAfter: UInt64
    ) -> [UInt8] {
        purpose.bytes + fields(key, staticKey, notBefore, notAfter).bytes
    }

    private static func fields(
        _ key: Ed25519.PublicKey,
        _ staticKey: X25519.PublicKey,
        _ notBefore: UInt64,
        _ notAfter: UInt64
    ) -> ByteWriter {
        var writer = ByteWriter(capacity: byteCount)
        writer.append(magic)
        key.value.write(to: &writer)
        staticKey.value.write(to: &writer)
        writer.bigEndian(notBefore)
        writer.bigEndian(notAfter)
        return writer
    }
}

/// Why a certificate proves nothing.
package enum CertificateFault: Error, Hashable, Sendable {
    case length(Int)
    case magic
    /// It ends before it begins.
    case datesReversed
    case validTooLong
    /// Our clock or theirs is wrong, or the certificate is old.
    case notValidNow(offBySeconds: UInt64)
    /// It certifies another key than the one that the handshake was made with.
    case otherStaticKey
    case signature
}

extension CertificateFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .length(let count): "\(count) bytes long"
        case .magic: "not a certificate"
        case .datesReversed: "ends before it begins"
        case .validTooLong: "valid for more than 30 days"
        case .notValidNow(let seconds): "not valid at local time (off by ~\(CertificateFault.text(seconds)))"
        case .otherStaticKey: "for another session key"
        case .signature: "bad signature"
        }
    }

    /// In the largest unit of which there is one and a half, to the nearest.
    private static func text(_ seconds: UInt64) -> String {
        for (unit, length) in [("d", 86_400), ("h", 3600), ("min", 60)] as [(String, UInt64)]
        where seconds >= length + length / 2 {
            let (whole, rest) = seconds.quotientAndRemainder(dividingBy: length)
            return "\(rest >= length / 2 ? whole + 1 : whole) \(unit)"
        }
        return "\(seconds) s"
    }
}
