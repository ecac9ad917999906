import Metainfo
import Shoal
import TrackerAPI
import TrackerProtocol

/// `shoal user register|login|logout`: an account at a tracker, whose passkey is kept in the state folder.
enum AccountCommand {
    static func run(
        _ task: Invocation.AccountTask,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        guard task.stateFolder != nil else {
            throw ShoalError(.usage, "there is no home folder, so --state DIR must say where the passkey is kept")
        }
        let client = try TrackerCommand.client(task.tracker, task.stateFolder, isInsecure: task.isInsecure)
        switch task.kind {
        case .register(let user): try await enter(user, isNew: true, client, task, options, on: console)
        case .login(let user): try await enter(user, isNew: false, client, task, options, on: console)
        case .logout: try await leave(client, options, on: console)
        }
        return 0
    }

    private static func enter(
        _ user: String,
        isNew: Bool,
        _ client: TrackerClient,
        _ task: Invocation.AccountTask,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) {
        guard AccountRules.isName(user) else {
            throw ShoalError(.usage, "'\(DisplayText.clean(user))' is no user name: 3 to 64 of A-Z a-z 0-9 _ . -")
        }
        // Before somebody types a password.
        if let fault = client.safetyFault { throw ShoalError(fault) }
        let password = try await Password.read(file: task.passwordFile, isNew: isNew, on: console)
        let credentials = Credentials(user: user, password: password)
        let grant: PasskeyGrant
        do throws(TrackerClientError) {
            grant = isNew ? try await client.register(credentials) : try await client.login(credentials)
        } catch {
            throw ShoalError(error)
        }
        var object = JSONObject(event: isNew ? "registered" : "logged_in")
        object.add("user", grant.user)
        object.add("tracker", client.place)
        object.add("expires", grant.expires)
        let text = isNew ? "registered and logged in" : "logged in"
        try write(
            options.json ? object.line : "\(text) at \(client.place) as \(DisplayText.clean(grant.user))",
            options,
            on: console
        )
    }

    private static func leave(
        _ client: TrackerClient,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) {
        let wasIn: Bool
        do throws(TrackerClientError) {
            wasIn = try await client.logout()
        } catch {
            throw ShoalError(error)
        }
        var object = JSONObject(event: "logged_out")
        object.add("tracker", client.place)
        object.add("was_logged_in", wasIn)
        let text = wasIn ? "logged out at \(client.place)" : "nobody was logged in at \(client.place)"
        try write(options.json ? object.line : text, options, on: console)
    }

    private static func write(_ line: String, _ options: ConsoleOptions, on console: some Console) throws(ShoalError) {
        guard options.json || !options.isQuiet else { return }
        try console.write(line + "\n", to: .standardOutput)
    }
}
