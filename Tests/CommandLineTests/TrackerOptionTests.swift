import Shoal
import Testing

@testable import shoal

@Suite("Trackers on the command line")
struct TrackerOptionTests {
    private func command(_ words: String, environment: [String: String] = ["HOME": "/u"]) throws -> Invocation.Command {
        try read(words.split(separator: " ").map(String.init), environment: environment).command
    }

    @Test("tracker alone runs one, with the documented defaults")
    func run() throws {
        var run = Invocation.TrackerRun()
        run.stateFolder = "/u/.local/state/shoal"
        #expect(try command("tracker") == .tracker(.run(run)))
        #expect(try command("tracker run") == .tracker(.run(run)))
        #expect(run.listen == ":6969" && run.interval == .seconds(1800) && run.minInterval == .seconds(900))
    }

    @Test("a tracker's options")
    func runOptions() throws {
        var run = Invocation.TrackerRun()
        run.listen = "127.0.0.1:9090"
        run.database = "postgres://u@h/db"
        run.needsAccounts = true
        run.interval = .seconds(60)
        run.minInterval = .seconds(60)
        run.chunks = ":5100"
        run.allowList = "a"
        run.denyList = "d"
        run.trace = "t"
        run.stateFolder = "/s"
        let words = "tracker run --listen localhost:9090 --db postgres://u@h/db --accounts --interval 60 --chunks :5100"
        #expect(
            try command(words + " --allow-list a --deny-list d --trace t --state /s") == .tracker(.run(run))
        )
    }

    @Test("share and fetch take several trackers, the environment's too")
    func announced() throws {
        let list = ["http://t.example:6969", "udp://192.0.2.7:6969"]
        let words = ["--tracker", list[0], "--tracker", list[1]]
        #expect(try read(["share", "x"] + words).share?.request.trackers == list)
        #expect(try read(["fetch", someHash] + words).fetch?.options.trackers == list)
        let environment = ["SHOAL_TRACKER": list.joined(separator: ",")]
        #expect(try read(["share", "x"], environment: environment).share?.request.trackers == list)
        #expect(try read(["share", "x", "--announce-ip", "192.0.2.9"]).share?.network.announceIP == "192.0.2.9")
        #expect(try read(["share", "x", "--announce-ip", "auto"]).share?.network.announceIP == nil)
    }

    @Test("--any takes what the tracker has")
    func any() throws {
        let fetch = try read(["fetch", "--any", "--tracker", "http://h:9090"]).fetch
        #expect(fetch?.target == .any(tracker: "http://h:9090"))
    }

    @Test("questions, accounts and the interactive peer name one tracker")
    func questions() throws {
        let tracker = "--tracker http://h:1"
        let question = { (kind: Invocation.TrackerQuestion.Kind) in
            Invocation.Command.tracker(
                .ask(.init(kind: kind, tracker: "http://h:1", stateFolder: "/u/.local/state/shoal"))
            )
        }
        #expect(try command("tracker list \(tracker)") == question(.list))
        #expect(try command("tracker file a.iso \(tracker)") == question(.file("a.iso")))
        #expect(try command("tracker peers \(tracker)") == question(.peers))
        #expect(try command("tracker console \(tracker)") == question(.console))
        let scrape = Invocation.TrackerTask.scrape(
            someHash,
            trackers: ["udp://h:1", "http://h:2"],
            stateFolder: "/u/.local/state/shoal"
        )
        #expect(try command("tracker scrape \(someHash) --tracker udp://h:1 --tracker http://h:2") == .tracker(scrape))
        var account = Invocation.AccountTask(kind: .register("al"), tracker: "http://h:1")
        account.passwordFile = "p"
        account.stateFolder = "/u/.local/state/shoal"
        #expect(try command("user register al --password-file p \(tracker)") == .account(account))
        account.kind = .login("al")
        account.isInsecure = true
        #expect(try command("user login al --insecure --password-file p \(tracker)") == .account(account))
        guard case .console(let console) = try command("console --id 1 --dir ./p/peer_1 \(tracker)") else {
            Issue.record("no console")
            return
        }
        #expect(console.id == "1" && console.folder == "./p/peer_1" && console.tracker == "http://h:1")
    }

    @Test("accounts in the database")
    func users() throws {
        let task = { (kind: Invocation.UserTask.Kind) in
            Invocation.Command.tracker(
                .users(.init(kind: kind, database: "sqlite:x", passwordFile: nil, stateFolder: "/u/.local/state/shoal"))
            )
        }
        #expect(try command("tracker user list --db sqlite:x") == task(.list))
        #expect(try command("tracker user add al --admin --db sqlite:x") == task(.add("al", isAdmin: true)))
        #expect(try command("tracker user remove al --db sqlite:x") == task(.remove("al")))
        #expect(try command("tracker user password al --db sqlite:x") == task(.password("al")))
        #expect(try command("tracker user admin al --db sqlite:x") == task(.admin("al")))
    }

    @Test("chunk folders, in today's words and in those of the first program")
    func chunks() throws {
        var run = Invocation.ChunksRun(folder: "D", tracker: "http://h:1")
        run.listen = ":6000"
        run.name = "client1"
        run.trace = "logger.log"
        let rest = "--tracker http://h:1 --trace logger.log"
        #expect(try command("chunks run D --listen :6000 --name client1 \(rest)") == .chunks(.run(run)))
        #expect(try command("chunks run -folder D -transfer_port 6000 -name client1 \(rest)") == .chunks(.run(run)))
        #expect(
            try command("chunks import D f --piece-length 16K")
                == .chunks(.cut(file: "f", folder: "D", chunkByteCount: 16384))
        )
        #expect(try command("chunks export D -o f") == .chunks(.join(folder: "D", output: "f")))
    }

    @Test(
        "what is wrong is named",
        arguments: [
            ("tracker list", "say which tracker: --tracker http://HOST:PORT"),
            ("tracker list --tracker udp://h:1", "--tracker: 'udp://h:1' is not http://HOST:PORT"),
            ("tracker list --tracker http://h:1 --tracker http://h:2", "one --tracker is asked, and 2 were given"),
            ("share x --tracker ftp://h", "--tracker: 'ftp://h' is no tracker"),
            ("share x --announce-ip here", "--announce-ip: 'here' is neither an IP address nor auto"),
            ("fetch x.torrent --any --tracker http://h:1", "--any takes whatever there is; leave 'x.torrent' out"),
            ("fetch --any", "say which tracker"),
            ("tracker run --interval 60 --min-interval 61", "--min-interval must not be longer than --interval"),
            ("tracker run --chunks here", "--chunks: 'here' is not ADDR:PORT"),
            ("tracker user", "tracker user needs list|add|remove|password|admin [NAME]"),
            ("tracker user ad al", "tracker user has no verb 'ad'; did you mean add?"),
            ("tracker user add", "tracker user add needs NAME"),
            ("tracker user list al", "tracker user list takes no NAME"),
            ("tracker user remove al --admin", "--admin goes with tracker user add"),
            ("chunks import D", "chunks import needs DIR FILE"),
        ]
    )
    func refused(words: String, beginning: String) throws {
        let error = try #require(refusal(words.split(separator: " ").map(String.init)))
        #expect(error.code == .usage)
        #expect(error.message.hasPrefix(beginning), "\(error.message)")
    }
}
