import ChunkFolders
import Metainfo
import Primitives
import Shoal
import TrackerAPI
import TrackerProtocol

/// `shoal chunks run|import|export`: folders of chunks and `local_chunks.txt`.
enum ChunksCommand {
    static func run(
        _ task: Invocation.ChunksTask,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        do throws(ChunkFolderFault) {
            switch task {
            case .run(let run): return try await serve(run, options, on: console)
            case .cut(let file, let folder, let chunkByteCount):
                let count = try ChunkFolder.cut(file, into: folder, chunkByteCount: chunkByteCount)
                show(.made(path: folder, chunks: count), options, on: console)
            case .join(let folder, let output):
                let output = if let output { output } else { try ChunkPeer.usualName(of: folder) + ".out" }
                let byteCount = try ChunkFolder(folder).join(into: output)
                show(.joined(path: output, byteCount: byteCount), options, on: console)
            }
            return 0
        } catch {
            throw ShoalError(code(of: error), DisplayText.clean(error.message))
        }
    }

    private static func serve(
        _ run: Invocation.ChunksRun,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ChunkFolderFault) -> Int32 {
        let name = if let name = run.name { name } else { try ChunkPeer.usualName(of: run.folder) }
        var configuration = ChunkPeer.Configuration(folder: run.folder, name: name)
        configuration.set = run.set ?? configuration.set
        configuration.trace = run.trace
        configuration.announcedAddress = run.announceIP.flatMap { IPAddress($0) }
        configuration.reportsSignals = true
        if let endpoint = Endpoint(run.listen) {
            (configuration.address, configuration.port) = (endpoint.address, endpoint.port)
        } else {
            configuration.port = UInt16(run.listen.dropFirst()) ?? 0
        }
        let peer = try ChunkPeer(configuration, tracker: TrackerChunks(try client(of: run.tracker)))
        do throws(ChunkFolderFault) {
            try await peer.start()
            var code: Int32 = 0
            events: for await event in peer.events {
                switch event {
                case .failed(let fault): throw fault
                case .interrupted(let signal):
                    code = 128 + signal
                    break events
                default: show(.event(event, folder: run.folder, tracker: run.tracker), options, on: console)
                }
            }
            await peer.stop()
            return code
        } catch {
            await peer.stop()
            throw error
        }
    }

    private static func client(of tracker: String) throws(ChunkFolderFault) -> TrackerClient {
        guard let url = TrackerURL(tracker) else { throw .tracker("'\(tracker)' is not the URL of a tracker") }
        do throws(TrackerClientError) {
            return try TrackerClient(url, stateFolder: nil)
        } catch {
            throw .network(error.sentence)
        }
    }

    /// When nobody reads any more, serving goes on.
    private static func show(_ line: ChunkLines, _ options: ConsoleOptions, on console: some Console) {
        if options.json {
            if let text = line.json { try? console.write(text + "\n", to: .standardOutput) }
        } else if !options.isQuiet, let text = line.text(isVerbose: options.isVerbose) {
            try? console.write(text + "\n", to: .standardError)
        }
    }

    private static func code(of fault: ChunkFolderFault) -> ShoalError.Code {
        switch fault.kind {
        case .badData: .badData
        case .notFound: .notFound
        case .files: .files
        case .network: .network
        }
    }
}
