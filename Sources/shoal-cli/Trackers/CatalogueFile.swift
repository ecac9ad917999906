import Metainfo
import Shoal
import TrackerAPI
import TrackerProtocol

/// A file of a tracker's catalogue, to be fetched by its name.
struct CatalogueFile: Sendable {
    let torrent: [UInt8]
    /// Where it is announced, as the person named it.
    let tracker: String

    /// - Parameters:
    ///   - name: `nil` for whatever there is: the only file, or the one that a person chooses.
    ///   - tracker: a URL that was checked when the command line was read.
    static func find(
        _ name: String?,
        at tracker: String,
        stateFolder: String?,
        on console: some Console
    ) async throws(ShoalError) -> CatalogueFile {
        let client = try TrackerCommand.client(tracker, stateFolder)
        let name = if let name { name } else { try await anyName(at: client, on: console) }
        return CatalogueFile(torrent: try await torrent(of: name, at: client), tracker: tracker)
    }

    /// - Throws: `ShoalError` with `.notFound` for a name that the tracker does not know, `.noPeers` for one that nobody holds.
    static func torrent(of name: String, at client: TrackerClient) async throws(ShoalError) -> [UInt8] {
        do throws(TrackerClientError) {
            let (entry, torrent) = try await client.file(name)
            if entry.seeders + entry.leechers > 0 { return torrent }
        } catch {
            throw ShoalError(error)
        }
        throw ShoalError(
            .noPeers,
            "\(client.place) knows '\(DisplayText.clean(name))', but nobody holds it now; try again when somebody shares it"
        )
    }

    private static func anyName(at client: TrackerClient, on console: some Console) async throws(ShoalError) -> String {
        let files: [CatalogueEntry]
        do throws(TrackerClientError) {
            files = try await client.files()
        } catch {
            throw ShoalError(error)
        }
        guard let first = files.first else {
            throw ShoalError(
                .notFound,
                "\(client.place) has no file in its catalogue; shoal share FILE --tracker adds one"
            )
        }
        if files.count == 1 { return first.name }
        let names = files.prefix(20).map { DisplayText.clean($0.name) }
        guard console.isInputTerminal else {
            throw ShoalError(
                .usage,
                "\(client.place) has \(files.count) files: \(names.joined(separator: ", ")); say which: shoal fetch "
                    + "NAME@\(client.tracker.place)"
            )
        }
        return try await chosen(among: files, names, on: console)
    }

    private static func chosen(
        among files: [CatalogueEntry],
        _ names: [String],
        on console: some Console
    ) async throws(ShoalError) -> String {
        for (index, name) in names.enumerated() {
            let size = HumanUnits.size(files[index].size)
            try console.write("\(index + 1)  \(name)  \(size)\n", to: .standardError)
        }
        while true {
            try console.write("Which one (number or name)? ", to: .standardError)
            guard let answer = await console.line(isSecret: false) else {
                throw ShoalError(.usage, "no file was chosen")
            }
            if let number = Int(answer), names.indices.contains(number - 1) { return files[number - 1].name }
            if let file = files.first(where: { $0.name.utf8.elementsEqual(answer.utf8) }) { return file.name }
        }
    }
}
