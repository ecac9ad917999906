import Metainfo
import Shoal

/// `shoal torrent create|show|magnet|verify`: files only, no network.
enum TorrentCommand {
    static func run(
        _ task: Invocation.TorrentTask,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        switch task {
        case .create(let request, let output):
            return try await create(request, output: output, options, on: console)
        case .show(let path):
            try show(try read(path, on: console), options, on: console)
        case .magnet(let path):
            try console.write(try read(path, on: console).info.magnet + "\n", to: .standardOutput)
        case .verify(let torrent, let data):
            return try await verify(try read(torrent, on: console), data, options, on: console)
        }
        return 0
    }

    private static func read(_ path: String, on console: some Console) throws(ShoalError) -> TorrentFile {
        try TorrentFile(try console.contents(of: path, limit: FetchTarget.torrentLimit), name: path)
    }

    private static func create(
        _ request: ShareRequest,
        output: String?,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        var session = EngineSession(Configuration(), purpose: .share, options: options, on: console)
        return try await session.run { node throws(ShoalError) in
            let file = try await node.makeTorrent(request)
            var path = output ?? file.info.name + ".torrent"
            // A name with "/." exists where the name is a folder.
            if console.exists(path + "/.") { path += "/" + file.info.name + ".torrent" }
            try console.save(file.bytes, at: path)
            let line = options.json ? JSONLines.line(for: .torrent(file.info)) : "wrote \(path)\n\(file.info.magnet)"
            try console.write(line + "\n", to: .standardOutput)
        } _: { _, happening in
            if case .workDone = happening { .exit(0) } else { .goOn }
        }
    }

    private static func show(
        _ file: TorrentFile,
        _ options: ConsoleOptions,
        on console: some Console
    ) throws(ShoalError) {
        if options.json {
            var text = JSONLines.line(for: .torrent(file.info)) + "\n"
            for entry in file.files {
                var object = JSONObject(event: "file")
                object.add("path", entry.path)
                object.add("size", entry.size)
                text += object.line + "\n"
            }
            return try console.write(text, to: .standardOutput)
        }
        var lines = [
            "name          \(DisplayText.clean(file.info.name))",
            "info-hash     \(file.info.infoHash)",
            "size          \(HumanUnits.size(file.info.size)) (\(file.info.size) bytes)",
            "pieces        \(file.info.pieces) of \(HumanUnits.size(Int64(file.info.pieceLength)))",
        ]
        if file.isPrivate { lines.append("private       yes: no DHT (BEP 27)") }
        if let text = file.comment { lines.append("comment       \(DisplayText.clean(text))") }
        if let text = file.createdBy { lines.append("made by       \(DisplayText.clean(text))") }
        for tracker in file.trackers { lines.append("tracker       \(DisplayText.clean(tracker))") }
        lines.append("magnet        \(file.info.magnet)")
        lines.append("files         \(file.files.count)")
        for entry in file.files {
            lines.append("  \(DisplayText.clean(entry.path))  \(HumanUnits.size(entry.size))")
        }
        try console.write(lines.joined(separator: "\n") + "\n", to: .standardOutput)
    }

    private static func verify(
        _ file: TorrentFile,
        _ data: String,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        var session = EngineSession(Configuration(), purpose: .share, options: options, on: console)
        return try await session.run { node throws(ShoalError) in
            let result = try await node.verify(file, at: data)
            var object = JSONObject(event: "verified")
            object.add("info_hash", file.info.infoHash)
            object.add("pieces", result.pieces)
            object.add("verified", result.verified)
            let isWhole = result.verified == result.pieces
            let text = "\(data): \(result.verified) of \(result.pieces) pieces are right"
            try console.write((options.json ? object.line : text) + "\n", to: .standardOutput)
            guard isWhole else {
                throw ShoalError(
                    .badData,
                    "\(result.pieces - result.verified) pieces of \(data) are missing or wrong; `shoal fetch` repairs them"
                )
            }
        } _: { _, happening in
            if case .workDone = happening { .exit(0) } else { .goOn }
        }
    }
}
