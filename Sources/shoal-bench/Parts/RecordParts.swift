import Availability
import Cryptography
import Metainfo
import Primitives
import Swarming

/// Choosing whom to dial by records: what one planning costs, which the thread of all connections waits for.
enum RecordParts {
    static func measured() throws(BenchError) -> [Measurement] {
        [
            try planning("a plan by 200 records of 2,000 pieces", claims: 200, pieces: 2000),
            try planning("a plan by 1,000 records of 2^21 pieces", claims: 1000, pieces: 1 << 21),
            try noting("noting a record of 2,000 pieces", pieces: 2000),
            try noting("noting a record of 2^21 pieces", pieces: 1 << 21),
        ] + (try signatures())
    }

    /// As many bytes as a short record has.
    private static func signatures() throws(BenchError) -> [Measurement] {
        let message = [UInt8](repeating: 7, count: 300)
        guard let key = Ed25519.SigningKey.random(), let signature = key.signature(of: message.span.bytes) else {
            throw .failed("no memory is left for a key")
        }
        return [
            try Measurement.of("signing 300 bytes", operations: 16) { () throws(BenchError) in
                for _ in 0..<16 where key.signature(of: message.span.bytes) != signature {
                    throw .failed("a signature differs")
                }
            },
            try Measurement.of("checking that signature", operations: 16) { () throws(BenchError) in
                for _ in 0..<16 where !Ed25519.verify(signature, of: message.span.bytes, by: key.publicKey) {
                    throw .failed("a signature is not good")
                }
            },
        ]
    }

    private static func planning(_ name: String, claims: Int, pieces: Int) throws(BenchError) -> Measurement {
        let swarm = swarm(pieces)
        var directory = try directory(claims: claims, pieces: pieces)
        var now = Instant.zero
        return try Measurement.of(name, operations: 4, on: &directory) { directory in
            for _ in 0..<4 {
                // Plans are as old as they get.
                now = now + .seconds(5)
                swarm.guide(&directory, at: now)
            }
        }
    }

    private static func noting(_ name: String, pieces: Int) throws(BenchError) -> Measurement {
        let swarm = swarm(pieces)
        var directory = try directory(claims: 100, pieces: pieces)
        swarm.guide(&directory, at: .zero)
        let held = try blob(5, pieces).claims
        var sequence: Int64 = 1
        return try Measurement.of(name, operations: 8, on: &directory) { directory in
            for _ in 0..<8 {
                sequence += 1
                let claim = HolderClaim(key: key(0), sequence: sequence, pieces: held, expiresAt: .distantFuture)
                directory.claimed(claim, by: endpoint(0), at: .zero)
            }
        }
    }

    private static func swarm(_ pieces: Int) -> Swarm {
        let layout = PieceLayout(totalSize: Int64(pieces) * 16_384, pieceLength: 16_384)
        return Swarm(layout: layout, have: Bitfield(count: pieces), seed: 1, now: .zero)
    }

    /// With limits under which every piece is looked for.
    private static func directory(claims: Int, pieces: Int) throws(BenchError) -> PeerDirectory {
        var limits = PeerDirectory.Limits()
        limits.records.fewHolders = 2000
        var directory = PeerDirectory(limits: limits, seed: 1)
        directory.learn(pieceCount: pieces)
        let blobs = try (0..<10).map { seed throws(BenchError) in
            try blob(UInt64(seed), pieces).claims
        }
        for number in 0..<claims {
            let claim = HolderClaim(
                key: key(number),
                sequence: 1,
                pieces: blobs[number % blobs.count],
                expiresAt: .distantFuture
            )
            guard directory.claimed(claim, by: endpoint(number), at: .zero) else {
                throw .failed("a record was not noted")
            }
        }
        return directory
    }

    /// A random tenth of the pieces.
    private static func blob(_ seed: UInt64, _ pieces: Int) throws(BenchError) -> HaveBlob {
        var random = SeededRandom(seed: seed)
        var held = Bitfield(count: pieces)
        for piece in 0..<pieces where random.next() % 10 == 0 { held[piece] = true }
        guard let blob = HaveBlob(held, rarestFirst: stride(from: 0, to: pieces, by: 97)) else {
            throw .failed("no pieces, no blob")
        }
        return blob
    }

    private static func endpoint(_ number: Int) -> Endpoint { Endpoint(.v4(0x1400_0001 + UInt32(number) << 8), 6881) }

    private static func key(_ number: Int) -> Ed25519.PublicKey {
        Ed25519.PublicKey(UInt256(first: 0, second: 0, third: 0, fourth: UInt64(number)))
    }
}
