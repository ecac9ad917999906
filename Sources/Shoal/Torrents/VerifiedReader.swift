import Metainfo
import Primitives
import Storage
import Swarming

/// Somebody who waits for the next verified bytes of a torrent, in order.
struct VerifiedReader {
    /// Where in the torrent.
    let offset: Int64
    let done: (Result<[UInt8]?, ShoalError>) -> Void

    func fail(_ error: ShoalError) { done(.failure(error)) }
}

extension TorrentSession {
    /// No more at a time, so that a slow pipe holds little memory.
    private static let readLength = 1 << 20

    /// Hands out verified bytes from `offset` in the only wanted file on, as soon as there are any; `nil` at its end.
    func readVerified(at offset: Int64, then done: @escaping (Result<[UInt8]?, ShoalError>) -> Void) {
        if case .stopped = phase { return done(.failure(ShoalError(.failed, "the torrent was stopped"))) }
        guard offset >= 0 else { return done(.failure(ShoalError(.usage, "an offset cannot be negative"))) }
        readers.append(VerifiedReader(offset: offset, done: done))
        serveReaders()
    }

    func serveReaders() {
        guard let placement, swarm != nil else { return }
        let waiting = readers
        readers.removeAll()
        for reader in waiting { serve(reader, placement) }
    }

    private func serve(_ reader: VerifiedReader, _ placement: Placement) {
        let wanted = placement.isWanted.indices.filter {
            placement.isWanted[$0] && !placement.files.files[$0].isPadding
        }
        guard wanted.count == 1 else {
            return reader.fail(
                ShoalError(.usage, "--stdout takes one file, and \(wanted.count) are wanted; choose it with --only")
            )
        }
        let file = placement.files.files[wanted[0]]
        guard reader.offset < file.length else { return reader.done(.success(nil)) }
        let position = file.offset + reader.offset
        let layout = placement.files.layout
        let piece = Int(position / Int64(layout.pieceLength))
        guard swarm?.have[piece] == true else { return readers.append(reader) }
        let end = min(layout.offset(ofPiece: piece) + Int64(layout.length(ofPiece: piece)), file.end)
        let count = Int(min(end - position, Int64(TorrentSession.readLength)))
        core.disk.submit { () -> Result<[UInt8]?, ShoalError> in
            let buffer = PieceBuffer(capacity: count)
            do throws(StorageError) {
                guard try placement.files.read(at: position, into: buffer.mutableBytes(0..<count)) else {
                    return .failure(ShoalError(.files, "\(placement.path) changed while it was read"))
                }
            } catch {
                return .failure(ShoalError(error))
            }
            return .success(buffer.withBytes(0..<count) { $0.copied })
        } then: {
            reader.done($0)
        }
    }
}
