import Cryptography
import Glibc
import Metainfo
import Shoal
import Storage
import TrackerProtocol
import TrackerStore

/// `shoal tracker user`: the accounts in a tracker's database, whether the tracker runs or not; one that runs learns of
/// changes within seconds.
enum TrackerUserCommand {
    static func run(
        _ task: Invocation.UserTask,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        // A database is made only for the first account of a tracker that is yet to run.
        let store = try open(task)
        defer { store.close() }
        let answer = Answer(options: options, console: console)
        switch task.kind {
        case .list: try list(store, answer)
        case .add(let name, let isAdmin):
            try check(name)
            // Before a person types a password for nothing.
            if try perform({ () throws(StoreFault) in try store.account(named: name) }) != nil { throw taken(name) }
            let hash = try await hash(of: name, task, on: console)
            let account = Account(name: name, password: hash, isAdmin: isAdmin, created: today)
            guard try perform({ () throws(StoreFault) in try store.addAccount(account) }) else { throw taken(name) }
            try answer.did("added", isAdmin ? "added \(name), an administrator" : "added \(name)", name)
        case .remove(let name):
            try expect(perform { () throws(StoreFault) in try store.removeAccount(named: name, now: today) }, name)
            try answer.did("removed", "removed \(name); files that it registered stay", name)
        case .password(let name):
            try expect(perform { () throws(StoreFault) in try store.account(named: name) } != nil, name)
            let hash = try await hash(of: name, task, on: console)
            try expect(perform { () throws(StoreFault) in try store.setPassword(hash, of: name, now: today) }, name)
            try answer.did("password_set", "set a new password of \(name); who was logged in has to log in again", name)
        case .admin(let name):
            try expect(perform { () throws(StoreFault) in try store.setAdmin(true, of: name) }, name)
            try answer.did("admin_set", "\(name) is an administrator", name)
        }
        return 0
    }

    // MARK: The database

    private static func open(_ task: Invocation.UserTask) throws(ShoalError) -> TrackerStore {
        let url = try TrackerRunCommand.database(task.database, stateFolder: task.stateFolder)
        var creates = false
        if case .add = task.kind {
            creates = true
            if task.database == nil, let folder = task.stateFolder { try makeFolder(folder) }
        }
        return try perform { () throws(StoreFault) in try TrackerStore(StoreURL(url), creates: creates) }
    }

    private static func makeFolder(_ folder: String) throws(ShoalError) {
        do throws(StorageError) {
            try PrivateFolder.create(folder)
        } catch {
            throw ShoalError(.files, error.message)
        }
    }

    private static func perform<Value>(_ body: () throws(StoreFault) -> Value) throws(ShoalError) -> Value {
        do throws(StoreFault) {
            return try body()
        } catch {
            throw ShoalError(error)
        }
    }

    private static var today: Int64 { Int64(time(nil)) }

    // MARK: Rules

    private static func check(_ name: String) throws(ShoalError) {
        guard AccountRules.isName(name) else {
            throw ShoalError(.usage, "'\(DisplayText.clean(name))' is no user name: 3 to 64 of A-Z a-z 0-9 _ . -")
        }
    }

    private static func expect(_ isFound: Bool, _ name: String) throws(ShoalError) {
        guard isFound else {
            throw ShoalError(.notFound, "there is no user '\(DisplayText.clean(name))' in this database")
        }
    }

    private static func taken(_ name: String) -> ShoalError {
        ShoalError(
            .failed,
            "there is a user '\(name)' already; shoal tracker user password \(name) sets a new password"
        )
    }

    private static func hash(
        of name: String,
        _ task: Invocation.UserTask,
        on console: some Console
    ) async throws(ShoalError) -> String {
        let question = "Password of \(name): "
        let password = try await Password.read(file: task.passwordFile, isNew: true, question: question, on: console)
        guard AccountRules.isPassword(password) else {
            throw ShoalError(.usage, "a password has 8 to 1024 bytes, this one has \(password.utf8.count)")
        }
        guard let hash = PasswordHash.make(Array(password.utf8).span.bytes) else {
            throw ShoalError(.failed, "there is no memory to hash the password: it takes 64 MiB")
        }
        return hash
    }

    // MARK: Answers

    private static func list(_ store: TrackerStore, _ answer: Answer<some Console>) throws(ShoalError) {
        var accounts: [Account] = []
        while true {
            let after = accounts.last?.name ?? ""
            let page = try perform { () throws(StoreFault) in try store.accounts(after: after, limit: 1000) }
            accounts += page
            guard page.count == 1000 else { break }
        }
        try answer.list(accounts)
    }

    private struct Answer<Surroundings: Console> {
        let options: ConsoleOptions
        let console: Surroundings

        func did(_ event: String, _ text: String, _ name: String) throws(ShoalError) {
            var object = JSONObject(event: event)
            object.add("user", name)
            guard options.json || !options.isQuiet else { return }
            try console.write((options.json ? object.line : text) + "\n", to: .standardOutput)
        }

        func list(_ accounts: [Account]) throws(ShoalError) {
            guard options.json else {
                let rows = accounts.map { [$0.name, $0.isAdmin ? "yes" : "", DateText.utc($0.created)] }
                guard rows.isEmpty else {
                    return try console.write(TextTable.text(["USER", "ADMIN", "SINCE"], rows), to: .standardOutput)
                }
                if !options.isQuiet {
                    try console.write("there are no accounts in this database\n", to: .standardError)
                }
                return
            }
            for account in accounts {
                var object = JSONObject(event: "user")
                object.add("user", account.name)
                object.add("admin", account.isAdmin)
                object.add("created", account.created)
                try console.write(object.line + "\n", to: .standardOutput)
            }
        }
    }
}
