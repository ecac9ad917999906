import Bencode
package import Primitives

/// A torrent: an `info` dictionary, and what its maker says about where to find peers (BEP 3).
package struct Torrent: Sendable {
    package let info: InfoDictionary
    /// URLs in tiers: those of one tier are alternatives, the next tier is for when they all fail (BEP 12).
    package var announceTiers: [[String]] = []
    /// DHT nodes that somebody knew (BEP 5).
    package var nodes: [HostAndPort] = []
    /// Fit for display.
    package var comment: String?
    /// The program that made it; fit for display.
    package var createdBy: String?
    /// In seconds since 1970.
    package var creationDate: Int64?
    /// Keys that were unsorted or repeated (hardening P4), those in `info` included.
    package let orderFaults: Int

    package init(_ info: InfoDictionary) {
        self.info = info
        orderFaults = info.orderFaults
    }

    /// A torrent whose `info` dictionary came from peers (BEP 9).
    package init(infoDictionary: [UInt8], limits: MetainfoLimits = .standard) throws(MetainfoError) {
        self.init(try InfoDictionary(parsing: infoDictionary, limits: limits))
    }

    /// Reads a `.torrent` file.
    ///
    /// Takes time that grows with the number of files (half a second for hostile input): not on the loop's thread.
    package init(parsing bytes: [UInt8], limits: MetainfoLimits = .standard) throws(MetainfoError) {
        try self.init(parsing: bytes.span.bytes, limits: limits)
    }

    /// Reads a `.torrent` file. Fields that we can do without are passed over where they make no sense.
    package init(parsing bytes: RawSpan, limits: MetainfoLimits = .standard) throws(MetainfoError) {
        guard bytes.byteCount <= limits.torrent.byteCount else {
            throw .malformed(
                BencodeError(.moreBytesThan(limits.torrent.byteCount), at: limits.torrent.byteCount),
                in: nil
            )
        }
        var fields = TorrentFields()
        var reader = BencodeReader(bytes, limits: limits.torrent)
        do throws(BencodeError) {
            try fields.read(from: &reader, limits: limits)
            try reader.finish()
        } catch {
            throw .malformed(error, in: fields.current)
        }
        guard let range = fields.info else { throw .missing(.info) }
        do throws(MetainfoError) {
            info = try InfoDictionary(parsing: reader.copy(range), limits: limits)
        } catch {
            throw error.moved(by: range.lowerBound)
        }
        announceTiers = fields.announceTiers
        nodes = fields.nodes
        comment = fields.comment
        createdBy = fields.createdBy
        creationDate = fields.creationDate
        orderFaults = reader.orderFaults
    }

    package var infoHash: InfoHash { info.infoHash }
    package var name: String { info.name }
    package var layout: PieceLayout { info.layout }
    package var files: FileLayout { info.files }
    package var pieceHashes: PieceHashes { info.pieceHashes }
    package var isPrivate: Bool { info.isPrivate }

    /// The `.torrent` file; the same value gives the same bytes.
    package var encoded: [UInt8] {
        var writer = BencodeWriter(capacity: info.bytes.count + 1024)
        writer.dictionary { writer in
            if let first = announceTiers.first?.first {
                writer.key("announce")
                writer.string(first)
            }
            if announceTiers.count > 1 || announceTiers.first.map({ $0.count > 1 }) ?? false {
                writer.key("announce-list")
                writer.list { for tier in announceTiers { $0.list { for url in tier { $0.string(url) } } } }
            }
            if let comment {
                writer.key("comment")
                writer.string(comment)
            }
            if let createdBy {
                writer.key("created by")
                writer.string(createdBy)
            }
            if let creationDate {
                writer.key("creation date")
                writer.integer(creationDate)
            }
            writer.key("info")
            writer.encoded(info.bytes.span.bytes)
            if !nodes.isEmpty {
                writer.key("nodes")
                writer.list {
                    for node in nodes {
                        $0.list {
                            $0.string(node.host); $0.integer(node.port)
                        }
                    }
                }
            }
        }
        return writer.take()
    }
}

extension MetainfoError {
    /// The same error, with its offset counted from `offset` bytes earlier.
    func moved(by offset: Int) -> MetainfoError {
        guard case .malformed(let error, let field) = self else { return self }
        return .malformed(BencodeError(error.kind, at: error.offset + offset), in: field)
    }
}
