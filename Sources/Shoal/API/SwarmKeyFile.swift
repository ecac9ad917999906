import Cryptography
import Glibc
import Storage

/// The file with the key that all members of a private swarm share (`Configuration.swarmKeyFile`).
///
/// Nobody without it can talk to them, or learn who they are. It is 32 random bytes and no passphrase: one that a person
/// thinks up could be guessed from a single recorded session.
public enum SwarmKeyFile {
    /// Makes a key and writes it to a new file, which only its owner can read and which has to reach the other members in
    /// secret.
    ///
    /// - Parameter path: a file that does not exist yet; one that does is left as it is.
    /// - Throws: `ShoalError` with `.files` where there is something of that name, or nothing can be written.
    public static func make(at path: String) throws(ShoalError) {
        do throws(KeyFile.Fault) {
            try KeyFile.createSwarmKey(path)
        } catch {
            throw ShoalError(swarmKey: error, path)
        }
    }

    /// Reads the key.
    ///
    /// - Throws: `ShoalError` with `.notFound` without the file, `.usage` where it is none of ours, `.files` where it cannot
    ///   be read or others can read it.
    static func read(_ path: String) throws(ShoalError) -> Secret {
        do throws(KeyFile.Fault) {
            return try KeyFile.readSwarmKey(path)
        } catch {
            throw ShoalError(swarmKey: error, path)
        }
    }
}

extension ShoalError {
    fileprivate init(swarmKey fault: KeyFile.Fault, _ path: String) {
        switch fault {
        case .missing:
            self.init(
                .notFound,
                "there is no swarm key '\(path)'; shoal id swarm-key new makes one, once for the swarm"
            )
        case .unreadable(let code): self.init(.files, "cannot use '\(path)': \(String(cString: strerror(code)))")
        case .notAFile: self.init(.files, "'\(path)' is a link, a folder or a device; a swarm key must be a plain file")
        case .exposed:
            self.init(
                .files,
                "others own or can read the swarm key in '\(path)'; if nobody has read it: chmod 600 '\(path)'"
            )
        case .malformed:
            self.init(
                .usage,
                "'\(path)' holds no swarm key, which is 32 bytes exactly; copy the file of another member anew"
            )
        case .exists: self.init(.files, "'\(path)' exists, and a key is never written over; choose another name")
        case .noMemory: self.init(.failed, "no memory is left for the key")
        }
    }
}
