import Cryptography
import Glibc
import Storage

/// The private key that a publisher signs values in the DHT with (BEP 44, BEP 46).
public struct PublisherKey: Sendable {
    let key: Ed25519.SigningKey

    /// 64 hexadecimal digits, for those who are to find what it signs.
    public var publicKey: String { key.publicKey.hex }

    /// Reads a key file: the 64 hexadecimal digits of a seed, or the 128 of an expanded key.
    ///
    /// - Parameters:
    ///   - path: the file; its owner must be the only one who can read it.
    ///   - wasMade: called when there was no such file and a new key was written to it; `nil` makes none.
    /// - Throws: `ShoalError` with `.notFound` without the file, `.files` when it cannot be read or others can read it,
    ///   `.badData` when it holds something else.
    public init(file path: String, orMake wasMade: (() -> Void)? = nil) throws(ShoalError) {
        do throws(KeyFile.Fault) {
            key = try KeyFile.read(path)
        } catch .missing {
            guard let wasMade else { throw ShoalError(.notFound, "there is no key file '\(path)'") }
            do throws(KeyFile.Fault) {
                key = try KeyFile.create(path)
            } catch {
                throw ShoalError(error, path)
            }
            wasMade()
        } catch {
            throw ShoalError(error, path)
        }
    }
}

extension ShoalError {
    fileprivate init(_ fault: KeyFile.Fault, _ path: String) {
        switch fault {
        case .missing: self.init(.notFound, "there is no key file '\(path)'")
        case .unreadable(let code): self.init(.files, "cannot use '\(path)': \(String(cString: strerror(code)))")
        case .notAFile: self.init(.files, "'\(path)' is a link, a folder or a device; a key must be a plain file")
        case .exposed:
            self.init(.files, "others can read the key in '\(path)'; make it yours alone: chmod 600 '\(path)'")
        case .malformed:
            self.init(
                .badData,
                "'\(path)' holds no key: 64 hexadecimal digits (a seed) or 128 (an expanded key) are needed"
            )
        case .exists: self.init(.files, "'\(path)' exists already")
        case .noMemory: self.init(.failed, "no memory is left for the key")
        }
    }
}
