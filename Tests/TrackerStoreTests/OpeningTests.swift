import Glibc
import Primitives
import TestSupport
import Testing
import TrackerStore

@Suite("Opening a database")
struct OpeningTests {
    /// The sentence that a person reads.
    private func fault(_ url: String, creates: Bool = true) -> String {
        do throws(StoreFault) {
            _ = try TrackerStore(StoreURL(url), creates: creates)
            return "opened"
        } catch {
            return error.message
        }
    }

    @Test("PostgreSQL is tested too, not only SQLite")
    func programs() {
        #expect(PostgresServer.programs != nil, "install the packages of scripts/setup")
    }

    @Test(
        "a URL that names no database is refused with a sentence, and without its password",
        arguments: [
            ("mysql://u:hush@h/d", "no database is called by 'mysql'"),
            ("tracker.sqlite", "no database is called by 'tracker.sqlite'"),
            ("u:hush@h/d", "no database is called by 'u'"),
            ("postgres:x", "cannot be read"), ("postgres://u:hush@h:port:port/d?x=y", "cannot be read"),
            ("postgresql://h/d?hush=1", "cannot be read"), ("sqlite:", "does not exist"),
        ]
    )
    func urls(url: String, says: String) {
        let message = fault(url)
        #expect(message.contains(says))
        #expect(!message.contains("hush"))
    }

    @Test("printing a URL prints no password (R13)")
    func printing() throws {
        let url = try StoreURL("postgres://anna:hush@db.example/tracker")
        #expect(!"\(url) \([url]) \(String(reflecting: url))".contains("hush"))
        #expect("\(try StoreURL("sqlite:///var/lib/t.sqlite"))" == "sqlite:/var/lib/t.sqlite")
    }

    @Test("a file that cannot be one is named with the reason")
    func files() throws {
        let folder = try TemporaryFolder()
        try folder.write([UInt8]("no database, a text, and longer than the header of one, of course".utf8), to: "text")
        try folder.link("link", to: folder.path("text"))
        let path = folder.root

        #expect(fault("sqlite:\(path)/none", creates: false).contains("\(path)/none does not exist"))
        #expect(fault("sqlite:\(path)/no/folder").contains("does not exist"))
        #expect(fault("sqlite:\(path)").contains("is a folder"))
        #expect(fault("sqlite:\(path)/link").contains("symbolic link"))
        #expect(fault("sqlite:\(path)/text").contains("damaged"))
        #expect(!folder.exists("none"))
    }

    @Test("a new file is its owner's alone, and opened again it has what it had")
    func newFile() throws {
        let folder = try TemporaryFolder()
        let url = try StoreURL("sqlite://" + folder.path("t.sqlite"))
        let first = try TrackerStore(url)
        #expect(try first.addAccount(Account(name: "anna", password: "x", isAdmin: false, created: 0)))
        var status = stat()
        #expect(stat(folder.path("t.sqlite"), &status) == 0 && status.st_mode & 0o777 == 0o600)
        first.close()
        #expect(try TrackerStore(url, creates: false).accountCount() == 1)
        // A closed store opens itself again.
        #expect(try first.accountCount() == 1)
    }

    @Test("tables of a later version are left alone", arguments: Database.all)
    func later(_ kind: Database) throws {
        let database = try TestDatabase(kind)
        try database.open().close()
        try database.execute("UPDATE shoal_schema SET version = 99")
        do throws(StoreFault) {
            _ = try TrackerStore(StoreURL(database.url))
            Issue.record("opened")
        } catch {
            #expect(error.message.contains("made by a later version of shoal (99)"))
        }
    }

    @Test("a server that is not there, or has no such user, is named without the password")
    func servers() throws {
        let folder = try TemporaryFolder()
        let none = fault("postgres://anna:hush@/db?host=\(folder.root)")
        #expect(none.hasPrefix("cannot reach the database postgres://anna@\(folder.root)/db: "))
        #expect(none.contains("No such file or directory") && !none.contains("hush"))
        // Nobody listens on the port of this socket.
        let refused = fault("postgres://anna:hush@127.0.0.1:1/db")
        #expect(refused.contains("Connection refused") && !refused.contains("hush"))
    }

    @Test("who is not let in is told so, without the password", .enabled(if: PostgresServer.programs != nil))
    func strangers() throws {
        let url = try PostgresServer.shared().makeURL().replacing("shoal@/postgres", with: "otto:hush@/postgres")
        let message = fault(url)
        #expect(message.contains("refused us") && message.contains("does not exist") && !message.contains("hush"))
    }

    @Test("a connection that the server ended is made anew", .enabled(if: PostgresServer.programs != nil))
    func reconnecting() throws {
        let database = try TestDatabase(.postgres)
        let store = try database.open()
        #expect(try store.addAccount(Account(name: "anna", password: "x", isAdmin: false, created: 0)))
        try database.endConnections()
        #expect(try store.accountCount() == 1)
        try database.endConnections()
        #expect(try store.addAccount(Account(name: "otto", password: "x", isAdmin: false, created: 0)))
        #expect(try store.accountCount() == 2)
    }
}
