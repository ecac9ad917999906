import EventLoop
import Metainfo
import PeerWire
import Primitives
import Storage
import Swarming

/// The metadata from several peers at once (BEP 9), and serving it.
extension TorrentSession {
    /// Unsent bytes with which metadata requests are still answered.
    private static let metadataAhead = 1 << 20

    func extensionsKnown(_ session: PeerSession) {
        if let limit = session.connection.remoteExtensions.requestQueueLength {
            swarm?.requestLimitKnown(limit, of: session.handle)
        }
        guard case .metadata = phase, let offer = session.connection.remoteExtensions.offeredMetadata else { return }
        perform(metadataDownload.offered(size: offer.size, by: session.handle.raw, at: core.now))
    }

    func received(_ message: MetadataMessage, from session: PeerSession) {
        let peer = session.handle.raw
        switch message {
        case .request(let piece): send(answer(to: piece, from: session), to: session)
        case .data(let piece, let totalSize, let bytes):
            guard case .metadata = phase else { return }
            perform(
                metadataDownload.received(
                    piece: piece,
                    totalSize: totalSize,
                    bytes: bytes,
                    from: peer,
                    at: core.now
                )
            )
        case .reject(let piece):
            guard case .metadata = phase else { return }
            perform(metadataDownload.rejected(piece: piece, by: peer, at: core.now))
        }
    }

    /// Who lets much lie unread gets no more to lie there.
    private func answer(to piece: Int, from session: PeerSession) -> MetadataMessage {
        guard session.outbox.byteCount < TorrentSession.metadataAhead else { return .reject(piece: piece) }
        return metadataServer?.answer(requestFor: piece, from: session.handle.raw) ?? .reject(piece: piece)
    }

    func metadataPeerLeft(_ session: PeerSession) {
        metadataServer?.disconnected(session.handle.raw)
        guard case .metadata = phase else { return }
        perform(metadataDownload.disconnected(session.handle.raw, at: core.now))
    }

    private func send(_ message: MetadataMessage, to session: PeerSession) {
        guard let id = session.connection.remoteExtensions.metadataID, id != 0 else { return }
        session.send { MessageWriter.metadata(message, as: id, to: &$0) }
    }

    private func perform(_ actions: [MetadataDownload.Action]) {
        for action in actions {
            switch action {
            case .request(let piece, let peer):
                guard let session = sessions[PeerHandle(raw: peer)] else { continue }
                send(.request(piece: piece), to: session)
            case .ban(let peers):
                for peer in peers { sessions[PeerHandle(raw: peer)]?.close(.badMetadata) }
            case .complete(let bytes): metadataArrived(bytes)
            }
        }
        guard case .metadata = phase else { return metadataAlarm.set(nil) }
        metadataAlarm.set(metadataDownload.nextDeadline)
    }

    func metadataAlarmRang() {
        guard case .metadata = phase else { return }
        perform(metadataDownload.advanced(to: core.now))
    }

    /// The bytes match the info-hash; whether they make sense is another question.
    private func metadataArrived(_ bytes: [UInt8]) {
        guard case .metadata = phase else { return }
        report.moved(at: core.now)
        phase = .checking
        for session in sessions.values { session.pauseReading() }
        // Half a million files take seconds to read: not on the loop.
        core.disk.submit { () -> Result<Torrent, MetainfoError> in
            do throws(MetainfoError) {
                return .success(try Torrent(infoDictionary: bytes))
            } catch {
                return .failure(error)
            }
        } then: { [weak self] result in
            guard let self, case .checking = phase else { return }
            switch result {
            case .success(let torrent): adopt(torrent)
            case .failure(let error): fail(ShoalError(error, in: "the metadata of \(infoHash)"))
            }
        }
    }
}
