import Shoal

extension Network {
    /// What the engine needs to know; reads the bootstrap file and the trust list.
    func configuration(on console: some Console) throws(ShoalError) -> Configuration {
        var configuration = Configuration()
        configuration.listen = listen
        configuration.usesDHT = usesDHT
        configuration.bootstrap = usesDHT ? try bootstrapNodes(on: console) : []
        configuration.mapsPort = mapsPort
        configuration.stateFolder = stateFolder
        configuration.downloadLimit = downloadLimit
        configuration.uploadLimit = uploadLimit
        configuration.localLimits = localLimits
        configuration.announceIP = announceIP
        configuration.sessions.secure = secure
        configuration.sessions.trustedKeys = try trustFile.map { (path) throws(ShoalError) in
            let bytes = try console.contents(of: path, limit: TrustList.fileLimit)
            return try TrustList.parse(String(decoding: bytes, as: UTF8.self), name: path)
        }
        configuration.sessions.swarmKeyFile = swarmKeyFile
        return configuration
    }

    private func bootstrapNodes(on console: some Console) throws(ShoalError) -> [String] {
        switch bootstrap {
        case .nodes(let nodes): return nodes
        case .file(let path): return try Network.nodes(inFile: path, on: console)
        case .installed:
            guard let folder = console.programFolder else { return [] }
            for path in Network.installedFiles(programFolder: folder) where console.exists(path) {
                return try Network.nodes(inFile: path, on: console)
            }
            return []
        }
    }

    private static func nodes(inFile path: String, on console: some Console) throws(ShoalError) -> [String] {
        let bytes = try console.contents(of: path, limit: BootstrapList.fileLimit)
        return try BootstrapList.parse(String(decoding: bytes, as: UTF8.self), name: path)
    }

    /// Beside the program, where packages put shared files, and the repository when run from its build folder. Nothing
    /// further up: a file planted in a folder that others may write must not choose our first contacts.
    static func installedFiles(programFolder folder: String) -> [String] {
        var paths = ["\(folder)/bootstrap-nodes.txt", "\(folder)/../share/shoal/bootstrap-nodes.txt"]
        if let build = folder.firstRange(of: "/.build/") {
            paths.append("\(folder[..<build.lowerBound])/bootstrap-nodes.txt")
        }
        return paths
    }
}

extension FetchTarget {
    /// F9: no `.torrent` is larger.
    static let torrentLimit = 10 << 20

    /// What the engine takes, and the tracker that it was found at; reads the `.torrent`, from wherever it is. A
    /// publisher's link has to be looked up first.
    func source(
        stateFolder: String?,
        on console: some Console
    ) async throws(ShoalError) -> (source: FetchSource, tracker: String?) {
        switch self {
        case .named(let name, let tracker): try await FetchTarget.source(name, tracker, stateFolder, on: console)
        case .any(let tracker): try await FetchTarget.source(nil, tracker, stateFolder, on: console)
        case .url(let url): (.torrent(try await TorrentDownload.bytes(at: url)), nil)
        case .magnet, .published, .infoHash, .file: (try source(on: console), nil)
        }
    }

    private static func source(
        _ name: String?,
        _ tracker: String,
        _ stateFolder: String?,
        on console: some Console
    ) async throws(ShoalError) -> (source: FetchSource, tracker: String?) {
        let file = try await CatalogueFile.find(name, at: tracker, stateFolder: stateFolder, on: console)
        return (.torrent(file.torrent), file.tracker)
    }

    /// What is at hand already.
    func source(on console: some Console) throws(ShoalError) -> FetchSource {
        switch self {
        case .magnet(let link), .published(let link): .magnet(link)
        case .infoHash(let text): .infoHash(text)
        case .file(let path): .torrent(try console.contents(of: path, limit: FetchTarget.torrentLimit))
        case .url, .named, .any: throw ShoalError(.usage, "a web server or a tracker has to be asked for this first")
        }
    }
}
