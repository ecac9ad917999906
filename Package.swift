// swift-tools-version: 6.2
import PackageDescription

/// One setting for every Swift target: language mode 6, warnings are errors, explicit existentials and imports.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
]

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

func program(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

let layers: [Target] = [
    // 0 C
    .target(name: "CLinux"),
    // Of these libraries the headers are needed to build; they are loaded when they are first used (clinux_lazy.h).
    .target(name: "CCurl", dependencies: ["CLinux"]),
    .target(name: "CLibpq", dependencies: ["CLinux"]),
    .target(name: "CMicrohttpd", dependencies: ["CLinux"]),
    .target(name: "CExpat", dependencies: ["CLinux"]),
    .systemLibrary(name: "CUV", pkgConfig: "libuv", providers: [.apt(["libuv1-dev"])]),
    .systemLibrary(name: "CLibcrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CQREncode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
    // 1 vocabulary
    library("Primitives", []),
    library("Cryptography", ["Primitives", "CLibcrypto", "CSodium"]),
    // 2 formats
    library("Bencode", ["Primitives"]),
    library("JSON", []),
    library("XML", ["CExpat"]),
    library("Metainfo", ["Primitives", "Cryptography", "Bencode"]),
    library("Availability", ["Primitives", "Cryptography", "Bencode"]),
    // 3 machines: no imports among each other
    library("Kademlia", ["Primitives", "Cryptography", "Bencode", "Availability"]),
    library("PeerWire", ["Primitives", "Cryptography", "Bencode", "Metainfo"]),
    library("SecurePeer", ["Primitives", "Cryptography", "Bencode"]),
    library("Swarming", ["Primitives", "Cryptography", "Metainfo", "Availability"]),
    library("TrackerProtocol", ["Primitives", "Cryptography", "Bencode", "Metainfo", "Availability"]),
    library("PortMapping", ["Primitives", "XML"]),
    // 3b simulation: only what is above
    library(
        "Simulation",
        ["Primitives", "Cryptography", "Bencode", "Metainfo", "Availability", "Kademlia", "PeerWire", "Swarming"]
    ),
    // 4 I/O
    library("EventLoop", ["Primitives", "CLinux", "CUV"]),
    library("HTTPClient", ["Primitives", "EventLoop", "CCurl"]),
    library("HTTPServer", ["Primitives", "EventLoop", "CMicrohttpd"]),
    library("SQLite", ["CSQLite"]),
    library("Storage", ["Primitives", "Cryptography", "Metainfo", "SQLite", "CLinux", "CSQLite"]),
    library("TrackerStore", ["Primitives", "SQLite", "Storage", "CLibpq"]),
    // 5 engine
    library(
        "Shoal",
        [
            "Primitives", "Cryptography", "Bencode", "Metainfo", "Availability", "Kademlia", "PeerWire", "SecurePeer",
            "Swarming", "TrackerProtocol", "PortMapping", "EventLoop", "Storage", "HTTPClient",
        ]
    ),
    // 6 services
    library(
        "TrackerAPI",
        ["Primitives", "JSON", "Metainfo", "TrackerProtocol", "EventLoop", "Storage", "HTTPClient"]
    ),
    library(
        "TrackerServer",
        [
            "Primitives", "Cryptography", "Bencode", "Metainfo", "Availability", "PeerWire", "TrackerProtocol",
            "EventLoop", "HTTPServer", "JSON", "Storage", "TrackerStore", "TrackerAPI",
        ]
    ),
    library(
        "ChunkFolders",
        [
            "Primitives", "Cryptography", "Metainfo", "TrackerProtocol", "EventLoop", "Storage", "HTTPClient", "JSON",
            "TrackerAPI",
        ]
    ),
    // 7 programs
    program(
        "shoal",
        path: "Sources/shoal-cli",
        [
            "Shoal", "ChunkFolders", "TrackerServer", "TrackerAPI", "TrackerStore", "TrackerProtocol", "HTTPClient",
            "Storage",
            "EventLoop", "JSON", "Primitives", "Metainfo", "Cryptography", "CLinux", "CQREncode",
        ]
    ),
    .target(name: "CBench"),
    program(
        "shoal-bench",
        [
            "Shoal", "Primitives", "Cryptography", "Bencode", "Metainfo", "Availability", "Kademlia", "PeerWire",
            "SecurePeer", "Swarming", "TrackerProtocol", "Storage", "EventLoop", "Simulation", "CBench", "CLibcrypto",
            "CSodium",
        ]
    ),
]

let testTargets: [Target] = [
    .target(
        name: "TestSupport",
        dependencies: ["EventLoop", "Primitives"],
        path: "Tests/TestSupport",
        swiftSettings: settings
    ),
    tests("PrimitivesTests", ["Primitives"]),
    tests("CryptographyTests", ["Cryptography", "Primitives", "TestSupport"]),
    tests("BencodeTests", ["Bencode", "Primitives"]),
    tests("JSONTests", ["JSON"]),
    tests("XMLTests", ["XML"]),
    tests("MetainfoTests", ["Metainfo", "Bencode", "Cryptography", "Primitives"]),
    tests("AvailabilityTests", ["Availability", "Cryptography", "Primitives"]),
    tests("KademliaTests", ["Kademlia", "Availability", "Bencode", "Cryptography", "Primitives", "TestSupport"]),
    tests("PeerWireTests", ["PeerWire", "Metainfo", "Bencode", "Cryptography", "Primitives"]),
    tests("SecurePeerTests", ["SecurePeer", "Bencode", "Cryptography", "Primitives", "TestSupport"]),
    tests("SwarmingTests", ["Swarming", "Availability", "Metainfo", "Primitives", "TestSupport"]),
    tests(
        "SimulationTests",
        ["Simulation", "Availability", "Kademlia", "PeerWire", "Swarming", "Metainfo", "Primitives"]
    ),
    tests(
        "TrackerProtocolTests",
        ["TrackerProtocol", "Availability", "Bencode", "Cryptography", "Primitives", "TestSupport"]
    ),
    tests("PortMappingTests", ["PortMapping", "XML", "Primitives", "TestSupport"]),
    tests("EventLoopTests", ["EventLoop", "Primitives", "TestSupport"]),
    tests("HTTPClientTests", ["HTTPClient", "EventLoop", "Primitives", "TestSupport"]),
    tests("HTTPServerTests", ["HTTPServer", "EventLoop", "Primitives", "TestSupport"]),
    tests("StorageTests", ["Storage", "SQLite", "Metainfo", "Cryptography", "Primitives", "TestSupport"]),
    tests("TrackerStoreTests", ["TrackerStore", "SQLite", "Primitives", "TestSupport"]),
    tests("TrackerAPITests", ["TrackerAPI", "JSON", "TrackerProtocol", "Primitives", "TestSupport"]),
    tests(
        "TrackerServerTests",
        [
            "TrackerServer", "TrackerAPI", "TrackerProtocol", "TrackerStore", "Cryptography", "Metainfo", "JSON",
            "EventLoop", "Primitives", "TestSupport",
        ]
    ),
    tests(
        "ChunkFoldersTests",
        ["ChunkFolders", "TrackerProtocol", "EventLoop", "Storage", "Cryptography", "Primitives", "TestSupport"]
    ),
    tests(
        "ShoalTests",
        [
            "Shoal", "Metainfo", "PeerWire", "SecurePeer", "Swarming", "EventLoop", "Storage", "Primitives",
            "TestSupport",
        ]
    ),
    tests("CommandLineTests", ["shoal", "Shoal", "TrackerAPI", "TrackerProtocol", "Primitives", "TestSupport"]),
    tests(
        "IntegrationTests",
        [
            "Shoal", "TrackerServer", "TrackerProtocol", "Metainfo", "PeerWire", "Cryptography", "Primitives",
            "TestSupport",
        ]
    ),
    tests("TidyTests", []),
]

/// A fuzz target per parser (hardening P8), only for `scripts/fuzz`: libFuzzer brings its own `main`.
///
/// To add one: `Sources/FuzzX` with `LLVMFuzzerTestOneInput`, seeds in `Fuzz/x` (words in `Fuzz/x.dict`), a line here.
func fuzzer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    let flags: [SwiftSetting] = [.unsafeFlags(["-parse-as-library"])]
    return .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings + flags)
}

let fuzzTargets: [Target] = [
    fuzzer("FuzzBencode", ["Bencode", "Primitives"]),
    fuzzer("FuzzJSON", ["JSON"]),
    fuzzer("FuzzMagnet", ["Metainfo", "Primitives"]),
    fuzzer("FuzzMetainfo", ["Metainfo", "Primitives"]),
    fuzzer("FuzzHave", ["Availability", "Primitives"]),
    fuzzer("FuzzRecord", ["Availability", "Cryptography", "Primitives"]),
    fuzzer("FuzzKRPC", ["Kademlia", "Cryptography", "Primitives"]),
    fuzzer("FuzzTrackerUDP", ["TrackerProtocol", "Primitives"]),
    fuzzer("FuzzTrackerHTTP", ["TrackerProtocol", "Primitives"]),
    fuzzer("FuzzTable", ["Kademlia", "Cryptography", "Primitives"]),
    fuzzer("FuzzSession", ["SecurePeer", "Cryptography", "Primitives"]),
    fuzzer("FuzzPayload", ["SecurePeer", "Cryptography", "Primitives"]),
    fuzzer("FuzzChunks", ["TrackerProtocol", "Primitives"]),
    fuzzer("FuzzWire", ["PeerWire", "Metainfo", "Primitives"]),
    fuzzer("FuzzIGD", ["PortMapping", "XML", "Primitives"]),
]

let isFuzzing = Context.environment["SHOAL_FUZZ"] != nil

let package = Package(
    name: "shoal",
    products: [
        .library(name: "Shoal", targets: ["Shoal"]),
        .executable(name: "shoal", targets: ["shoal"]),
        .executable(name: "shoal-bench", targets: ["shoal-bench"]),
    ],
    targets: layers + (isFuzzing ? fuzzTargets : testTargets)
)
