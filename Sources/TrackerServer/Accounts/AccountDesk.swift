import EventLoop
import Primitives
import TrackerAPI
import TrackerProtocol
import TrackerStore

/// Registers people and lets them in: the gate decides who is looked at, one thread hashes, another one asks the database.
///
/// Neither a password nor a passkey is part of any message (R13).
final class AccountDesk {
    typealias Completion = (Result<PasskeyGrant, APIFault>) -> Void

    /// Accounts that a tracker has at most: with their passkeys, what strangers can fill its memory with.
    private static let mostAccounts = 100_000

    private unowned let core: TrackerCore
    private let passwords: PasswordWorker
    private var gate: LoginGate

    /// `nil` where the system has no thread left.
    init?(core: TrackerCore) {
        guard let passwords = PasswordWorker(core: core) else { return nil }
        self.core = core
        self.passwords = passwords
        gate = LoginGate(limits: LoginGate.Limits())
    }

    func stop() { passwords.close() }

    // MARK: Registering

    /// Makes an account, and logs in.
    func register(_ credentials: Credentials, from sender: IPAddress, then completion: @escaping Completion) {
        guard AccountRules.isName(credentials.user) else { return completion(.failure(.badName)) }
        guard AccountRules.isPassword(credentials.password) else { return completion(.failure(.badPassword)) }
        if case .refused(let wait) = gate.admitRegistration(from: sender, at: core.now) {
            return completion(.failure(.tooMany(wait)))
        }
        let finish = ending(completion, from: sender)
        let user = credentials.user
        // Asked before the hash is made: a name that is taken must not cost one.
        core.query { (store) throws(StoreFault) in
            try store.account(named: user) != nil
                ? .taken
                : try store.accountCount() >= AccountDesk.mostAccounts ? .full : .free
        } then: { [weak self] (result: Result<Vacancy, StoreFault>) in
            switch result {
            case .success(.free): self?.add(credentials, then: finish)
            case .success(.taken): finish(.failure(.nameTaken), .neither)
            case .success(.full): finish(.failure(.trackerFull), .neither)
            case .failure(let fault): finish(.failure(.database(fault)), .neither)
            }
        }
    }

    private enum Vacancy: Sendable {
        case free
        case taken
        case full
    }

    private func add(_ credentials: Credentials, then finish: @escaping Ending) {
        passwords.hash(credentials.password) { [weak self] hash in
            guard let self, let hash else { return finish(.failure(.noMemory), .neither) }
            let account = Account(
                name: credentials.user,
                password: hash,
                isAdmin: false,
                created: SystemClock.secondsSinceEpoch
            )
            core.query { (store) throws(StoreFault) in
                try store.addAccount(account)
            } then: { [weak self] result in
                switch result {
                case .success(true): self?.grant(credentials.user, then: finish)
                case .success(false): finish(.failure(.nameTaken), .neither)
                case .failure(let fault): finish(.failure(.database(fault)), .neither)
                }
            }
        }
    }

    // MARK: Logging in

    func login(_ credentials: Credentials, from sender: IPAddress, then completion: @escaping Completion) {
        if case .refused(let wait) = gate.admitLogin(from: sender, at: core.now) {
            return completion(.failure(.tooMany(wait)))
        }
        let finish = ending(completion, from: sender)
        // What can be nobody's is not asked for; that there are such names and passwords is no secret.
        guard AccountRules.isName(credentials.user),
            AccountRules.passwordByteCount.upperBound >= credentials.password.utf8.count
        else { return finish(.failure(.wrongLogin), .wrong) }
        let user = credentials.user
        core.query { (store) throws(StoreFault) in
            try store.account(named: user)
        } then: { [weak self] result in
            switch result {
            case .success(let account): self?.check(credentials, of: account, then: finish)
            case .failure(let fault): finish(.failure(.database(fault)), .neither)
            }
        }
    }

    private func check(_ credentials: Credentials, of account: Account?, then finish: @escaping Ending) {
        passwords.check(credentials.password, against: account?.password) { [weak self] finding in
            guard let self, finding.isCorrect, let account else { return finish(.failure(.wrongLogin), .wrong) }
            if let renewed = finding.renewed {
                // Where that fails, it is made at the next login.
                core.query { (store) throws(StoreFault) in
                    try store.renewHash(of: account.name, from: account.password, to: renewed)
                } then: { _ in
                }
            }
            grant(account.name, then: finish)
        }
    }

    /// Makes a passkey for somebody who has proven to be the account's owner.
    private func grant(_ user: String, then finish: @escaping Ending) {
        guard let (passkey, digest) = Passkeys.make() else { return finish(.failure(.noMemory), .neither) }
        let today = SystemClock.secondsSinceEpoch
        let expires = today + AccountRules.passkeyLifetime.components.seconds
        let record = PasskeyRecord(hash: digest, account: user, expires: expires)
        core.query { (store) throws(StoreFault) in
            try store.forgetPasskeys(now: today)
            return try store.addPasskey(record, now: today, most: AccountRules.mostPasskeys)
        } then: { [weak self] result in
            switch result {
            case .success(true):
                // Announces may come before the next look at the database.
                let owner = Passkeys.Owner(
                    account: user,
                    expires: (self?.core.now ?? .zero) + AccountRules.passkeyLifetime
                )
                self?.core.admission.passkeys?.set(owner, for: digest)
                finish(.success(PasskeyGrant(user: user, passkey: passkey, expires: expires)), .right)
            case .success(false): finish(.failure(.wrongLogin), .wrong)
            case .failure(let fault): finish(.failure(.database(fault)), .neither)
            }
        }
    }

    // MARK: Logging out

    /// Gives a passkey back: nobody can announce with it from now on.
    func logout(_ passkey: String, then completion: @escaping (APIFault?) -> Void) {
        guard let digest = Passkeys.digest(of: Array(passkey.utf8).span.bytes) else { return completion(.loginNeeded) }
        core.admission.passkeys?.remove(digest)
        let today = SystemClock.secondsSinceEpoch
        core.query { (store) throws(StoreFault) in
            try store.revokePasskey(digest, now: today)
        } then: { result in
            switch result {
            case .success(true): completion(nil)
            case .success(false): completion(.loginNeeded)
            case .failure(let fault): completion(.database(fault))
            }
        }
    }

    // MARK: Parts

    private typealias Ending = (Result<PasskeyGrant, APIFault>, LoginGate.Outcome) -> Void

    /// Tells the gate, then whoever asked; once.
    private func ending(_ completion: @escaping Completion, from sender: IPAddress) -> Ending {
        { [weak self] result, outcome in
            if let self { self.gate.ended(outcome, from: sender, at: self.core.now) }
            completion(result)
        }
    }
}
