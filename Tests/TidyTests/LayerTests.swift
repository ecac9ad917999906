import Testing

/// The table of architecture.md, section 2: what a target may import.
enum Layers {
    private static let vocabulary: Set<String> = ["Primitives", "Cryptography"]
    private static let formats: Set<String> = ["Bencode", "JSON", "XML", "Metainfo", "Availability"]
    private static let machines: Set<String> = [
        "Kademlia", "PeerWire", "SecurePeer", "Swarming", "TrackerProtocol", "PortMapping",
    ]

    /// `Glibc` and `Synchronization` appear from layer 4 on: below it there is no clock, no lock and no system call.
    private static let table: [String: Set<String>] = [
        "Primitives": [],
        "Cryptography": ["Primitives", "CLibcrypto", "CSodium"],
        "Bencode": ["Primitives"],
        "JSON": [],
        "XML": ["CExpat"],
        "Metainfo": ["Primitives", "Cryptography", "Bencode"],
        "Availability": ["Primitives", "Cryptography", "Bencode"],
        "Kademlia": ["Primitives", "Cryptography", "Bencode", "Availability"],
        "PeerWire": ["Primitives", "Cryptography", "Bencode", "Metainfo"],
        "SecurePeer": ["Primitives", "Cryptography", "Bencode"],
        "Swarming": ["Primitives", "Cryptography", "Metainfo", "Availability"],
        "TrackerProtocol": ["Primitives", "Cryptography", "Bencode", "Metainfo", "Availability"],
        "PortMapping": ["Primitives", "XML"],
        "Simulation": vocabulary.union(formats).union(machines),
        "EventLoop": ["Primitives", "CLinux", "CUV", "Glibc", "Synchronization"],
        "HTTPClient": ["Primitives", "EventLoop", "CCurl", "Glibc"],
        "HTTPServer": ["Primitives", "EventLoop", "CMicrohttpd", "Glibc"],
        "SQLite": ["CSQLite"],
        "Storage": [
            "Primitives", "Cryptography", "Metainfo", "SQLite", "CLinux", "CSQLite", "Glibc", "Synchronization",
        ],
        "TrackerStore": ["Primitives", "SQLite", "Storage", "CLibpq", "Glibc", "Synchronization"],
        "Shoal": vocabulary.union(formats).union(machines)
            .union(["EventLoop", "Storage", "HTTPClient", "Glibc", "Synchronization"]),
        "TrackerAPI": ["Primitives", "JSON", "Metainfo", "TrackerProtocol", "EventLoop", "Storage", "HTTPClient"],
        "TrackerServer": vocabulary.union(formats).union([
            "PeerWire", "TrackerProtocol", "EventLoop", "HTTPServer", "Storage", "TrackerStore", "TrackerAPI", "JSON",
            "Glibc", "Synchronization",
        ]),
        "ChunkFolders": [
            "Primitives", "Cryptography", "Metainfo", "TrackerProtocol", "EventLoop", "Storage", "HTTPClient", "JSON",
            "TrackerAPI",
        ],
        "shoal-cli": [
            "Shoal", "ChunkFolders", "TrackerServer", "TrackerAPI", "TrackerStore", "TrackerProtocol", "HTTPClient",
            "Storage",
            "EventLoop", "JSON", "Primitives", "Metainfo", "Cryptography", "CLinux", "CQREncode", "Glibc",
            "Synchronization",
        ],
        "shoal-bench": vocabulary.union(formats).union(machines)
            .union(["Shoal", "Storage", "Simulation", "EventLoop", "CBench", "Glibc", "Synchronization"])
            // Ciphers as their libraries have them, to compare ours with.
            .union(["CLibcrypto", "CSodium"]),
    ]

    /// Fuzz targets feed parsers and machines, nothing above.
    private static let fuzz: Set<String> = vocabulary.union(formats).union(machines).union(["Glibc"])

    /// `nil` for a target that the table does not know.
    static func allowed(in target: String) -> Set<String>? { target.hasPrefix("Fuzz") ? fuzz : table[target] }

    static let known: Set<String> = Set(table.keys)
}

@Suite("Layers")
struct LayerTests {
    @Test("the repository is found, and every target of the table has sources")
    func found() {
        #expect(Layers.known.subtracting(Repository.targets) == [])
        #expect(Repository.sources.count > 30)
    }

    @Test("a target imports only what its layer allows", arguments: Repository.targets)
    func imports(target: String) throws {
        let allowed = try #require(
            Layers.allowed(in: target),
            "\(target) is not in the table of layers: give it a place"
        )
        for file in Repository.sources where file.target == target {
            for (module, line) in file.imports where !allowed.contains(module) {
                Issue.record("\(file.path):\(line) imports \(module), which \(target) may not")
            }
        }
    }

    @Test("Foundation is nowhere but where JSON or files of tests need its small part")
    func foundation() {
        let wrong = (Repository.sources + Repository.tests).filter { file in
            file.imports.contains {
                ["Foundation", "FoundationNetworking", "FoundationInternationalization"].contains($0.module)
            }
        }
        #expect(wrong.map(\.path) == [])
    }

    @Test("only the library product has a public interface")
    func publicInterface() {
        // libFuzzer finds the entry of a fuzz target by its public name.
        let files = Repository.sources.filter { $0.target != "Shoal" && !$0.target.hasPrefix("Fuzz") }
        let wrong = files.flatMap { file in
            file.places { $0.split(separator: " ").contains("public") }
        }
        #expect(wrong == [])
    }

    @Test("unsafe code stays where the design allows it")
    func unsafe() {
        let allowed = [
            "Cryptography/", "EventLoop/", "HTTPClient/", "HTTPServer/", "SQLite/", "Storage/", "Primitives/Bytes/",
            "XML/", "Shoal/Drivers/", "Shoal/Sessions/", "TrackerStore/Postgres/", "Fuzz",
        ]
        let wrong = Repository.sources.filter { file in !allowed.contains { file.path.hasPrefix("Sources/" + $0) } }
            .flatMap { file in file.places(where: Words.hasUnsafe) }
        #expect(wrong == [])
    }
}
