"""Accounts, the catalogue and their database, as people use them: SQLite and PostgreSQL, terminals and pipes."""
import json
import os
import pty
import select
import signal
import threading
import time

from harness import files, postgres
from harness.case import SHOAL, environment
from harness.process import Failed, until
from harness.tracker import TrackerCase

PASSWORD = "correct horse battery"


class AccountCase(TrackerCase):
    """A database of either kind for each test."""

    def databases(self):
        """One `--db` URL of each kind."""
        if postgres.programs() is None:
            self.fail("PostgreSQL is not installed: run scripts/setup")
        return {"sqlite": "sqlite:" + self.path("tracker.sqlite"), "postgres": postgres.shared().url()}

    def register(self, tracker, name, password=PASSWORD, user=None, **options):
        return self.ask(tracker, "user", "register", name, user=user or name, text=password + "\n", **options)

    def torrent(self, name="f", size=100_000):
        """A file and the .torrent of it."""
        path = files.write(self.path(f"{name}.bin"), os.urandom(size))
        made = self.run_shoal("torrent", "create", path, "-o", self.path(f"{name}.torrent"))
        self.expect(made, 0)
        with open(self.path(f"{name}.torrent"), "rb") as f:
            return f.read()

    def announce(self, tracker, passkey, port=7001, hash="%01" * 20):
        """An announce of any client; the failure reason, or None."""
        path = f"/announce/{passkey}" if passkey else "/announce"
        status, body, _ = self.http(
            tracker, "GET", f"{path}?info_hash={hash}&peer_id={'x' * 20}&port={port}&left=0&compact=1")
        self.assertEqual(status, 200)
        start = body.find(b"14:failure reason")
        return body[start + 17:].split(b":", 1)[1].decode(errors="replace").rstrip("e") if start >= 0 else None


class AccountTests(AccountCase):
    def test_register_login_logout_on_both_databases(self):
        for kind, url in self.databases().items():
            with self.subTest(kind):
                tracker = self.tracker("--accounts", "--db", url)
                said = self.register(tracker, "anna", user=f"{kind}-anna")
                self.assertIn(b"registered", said.stdout())
                key = self.passkey(f"{kind}-anna")
                mode = os.stat(self.path("users", f"{kind}-anna", "tracker.passkeys")).st_mode & 0o777
                self.assertEqual(mode, 0o600)
                self.assertIsNone(self.announce(tracker, key))
                self.assertIn("passkey", self.announce(tracker, None))
                self.assertIn("unknown passkey", self.announce(tracker, "0" * 40))

                again = self.register(tracker, "anna", user=f"{kind}-other", code=4)
                self.expect(again, 4, "taken")
                wrong = self.ask(tracker, "user", "login", "anna", text="wrong password\n", user=f"{kind}-other", code=8)
                self.expect(wrong, 8, "wrong")
                self.ask(tracker, "user", "login", "anna", text=PASSWORD + "\n", user=f"{kind}-other")
                self.ask(tracker, "user", "logout", user=f"{kind}-anna")
                self.assertIn("unknown passkey", self.announce(tracker, key))
                self.assertIsNone(self.announce(tracker, self.passkey(f"{kind}-other")))
                tracker.stop()

    def test_where_passwords_come_from(self):
        tracker = self.tracker("--accounts")
        secret = files.write(self.path("secret"), (PASSWORD + "\nsecond line\n").encode())
        self.ask(tracker, "user", "register", "anna", "--password-file", secret)
        self.ask(tracker, "user", "login", "anna", env={"SHOAL_PASSWORD": PASSWORD})
        self.ask(tracker, "user", "login", "anna", text=PASSWORD + "\r\n")
        nothing = self.ask(tracker, "user", "login", "anna", code=2)
        self.expect(nothing, 2, "--password-file")
        short = self.ask(tracker, "user", "register", "otto", text="1234567\n", code=5)
        self.expect(short, 5, "8 to 1024")
        as_argument = self.ask(tracker, "user", "login", "anna", PASSWORD, code=2)
        self.assertEqual(as_argument.code, 2)

    def test_a_terminal_shows_no_password_and_asks_twice(self):
        tracker = self.tracker("--accounts")
        words = [SHOAL, "user", "register", "anna", "--tracker", tracker.url, "--state", self.path("users", "anna")]
        shown, code = type_into(words, environment(self.path("home")), [(b"Password: ", PASSWORD), (b"Again: ", PASSWORD)])
        self.assertEqual(code, 0, shown)
        self.assertNotIn(PASSWORD.encode(), shown)
        self.assertIsNone(self.announce(tracker, self.passkey("anna")))

        words[3], words[-1] = "otto", self.path("users", "otto")
        shown, code = type_into(words, environment(self.path("home")), [(b"Password: ", PASSWORD), (b"Again: ", "another one")])
        self.assertEqual(code, 2, shown)
        self.assertIsNone(self.passkey("otto"))

    def test_passwords_do_not_go_over_the_internet_in_the_clear(self):
        # A documentation address: nothing is sent there, for the password is refused before.
        process = self.run_shoal("user", "login", "anna", "--tracker", "http://192.0.2.1:6969",
                                 "--state", self.path("users", "anna"))
        self.expect(process, 2, "--insecure")

    def test_wrong_passwords_are_slowed_down_and_announces_are_not(self):
        """N50: the sixth within a minute is 429; fifty at once stall nothing."""
        tracker = self.tracker("--accounts")
        self.register(tracker, "anna")
        key = self.passkey("anna")
        statuses = []

        def guess():
            statuses.append(self.http(tracker, "POST", "/api/v1/login", {"user": "anna", "password": "x" * 20})[0])

        threads = [threading.Thread(target=guess) for _ in range(50)]
        for thread in threads:
            thread.start()
        for port in range(7000, 7100):
            self.assertIsNone(self.announce(tracker, key, port))
        for thread in threads:
            thread.join(30)
        self.assertEqual(len(statuses), 50)
        self.assertLessEqual(statuses.count(401), 5)
        self.assertEqual(statuses.count(401) + statuses.count(429), 50)
        status, body, headers = self.http(tracker, "POST", "/api/v1/login", {"user": "anna", "password": PASSWORD})
        self.assertEqual((status, body["error"]), (429, "too_many_attempts"))
        self.assertLessEqual(1, int(headers["Retry-After"]))
        self.assertLessEqual(int(headers["Retry-After"]), 60)

    def test_accounts_are_managed_in_the_database(self):
        for kind, url in self.databases().items():
            with self.subTest(kind):
                def user(*words, code=0, text=None):
                    options = {}
                    if text is not None:
                        options["stdin"] = open(files.write(self.path(f"in-{self._count}"), text.encode()), "rb")
                    process = self.run_shoal("tracker", "user", *words, "--db", url, **options)
                    self.assertEqual(process.code, code, process.log())
                    return process

                if kind == "sqlite":
                    self.expect(user("list", code=7), 7, "does not exist")
                user("add", "root", "--admin", text=PASSWORD + "\n")
                user("add", "anna", text=PASSWORD + "\n")
                self.expect(user("add", "anna", text=PASSWORD + "\n", code=1), 1, "already")
                self.expect(user("add", "a b", text=PASSWORD + "\n", code=2), 2, "no user name")
                self.expect(user("remove", "nobody", code=7), 7, "no user")
                listed = [json.loads(line) for line in user("list", "--json").stdout().splitlines()]
                self.assertEqual([(u["user"], u["admin"]) for u in listed], [("anna", False), ("root", True)])

                tracker = self.tracker("--accounts", "--db", url)
                self.ask(tracker, "user", "login", "root", text=PASSWORD + "\n", user=f"{kind}-root")
                self.ask(tracker, "user", "login", "anna", text=PASSWORD + "\n", user=f"{kind}-anna")
                key = self.passkey(f"{kind}-anna")
                self.assertEqual(self.http(tracker, "GET", "/api/v1/users", passkey=key)[0], 403)
                status, users, _ = self.http(tracker, "GET", "/api/v1/users", passkey=self.passkey(f"{kind}-root"))
                self.assertEqual([u["user"] for u in users], ["anna", "root"])
                # What is done to the database while a tracker runs, that one learns of.
                user("password", "anna", text="another password\n")
                until(lambda: self.announce(tracker, key), 10, "the passkey to end with the password")
                user("remove", "anna")
                self.ask(tracker, "user", "login", "anna", text="another password\n", user="x", code=8)
                tracker.stop()


class CatalogueTests(AccountCase):
    def test_list_and_file_show_what_is_registered(self):
        tracker = self.tracker()
        torrent = self.torrent("f")
        for name in ["f.bin", "with space", "<img onerror=x>"]:
            status, entry, _ = self.http(tracker, "PUT", "/api/v1/files/" + "".join(f"%{b:02x}" for b in name.encode()), torrent)
            self.assertEqual((status, entry["name"], entry["size"]), (201, name, 100_000))
        table = self.ask(tracker, "tracker", "list").stdout().decode()
        self.assertEqual([line.split("  ")[0].strip() for line in table.splitlines()],
                         ["NAME", "<img onerror=x>", "f.bin", "with space"])
        listed = [json.loads(line) for line in self.ask(tracker, "tracker", "list", "--json").stdout().splitlines()]
        self.assertEqual([(f["event"], f["name"]) for f in listed],
                         [("file", n) for n in ("<img onerror=x>", "f.bin", "with space")])

        entry = listed[1]
        hash = "".join(f"%{entry['info_hash'][i:i + 2]}" for i in range(0, 40, 2))
        self.assertIsNone(self.announce(tracker, None, 7001, hash))
        shown = self.ask(tracker, "tracker", "file", "f.bin").stdout().decode()
        self.assertIn(entry["info_hash"], shown)
        self.assertIn("127.0.0.1:7001", shown)
        self.assertIn("1 seeder", shown)
        peers = self.ask(tracker, "tracker", "peers").stdout().decode()
        self.assertIn("127.0.0.1:7001", peers)
        self.assertIn("seeder", peers)
        events = [json.loads(line) for line in self.ask(tracker, "tracker", "file", "f.bin", "--json").stdout().splitlines()]
        self.assertEqual([e["event"] for e in events][:2], ["file", "peer"])
        missing = self.ask(tracker, "tracker", "file", "nothing", code=7)
        self.expect(missing, 7, "no file of that name")
        self.assertEqual(self.http(tracker, "DELETE", "/api/v1/files/f.bin")[0], 200)
        self.assertEqual(self.http(tracker, "DELETE", "/api/v1/files/f.bin")[0], 404)

    def test_a_tracker_that_is_not_there(self):
        class Nowhere:
            url = "http://127.0.0.1:1"
        self.expect(self.ask(Nowhere, "tracker", "list", code=4), 4, "refused")

    def test_hostile_requests_change_nothing(self):
        """SQL metacharacters and 10 MiB in every field, on both databases."""
        evil = ["'; DROP TABLE shoal_accounts; --", "\" OR 1=1 --", "$1", "%s%n", "\\", "x' UNION SELECT password FROM "
                "shoal_accounts --", "\u202etxt", "a\u0000b", "🦈"]
        torrent = self.torrent()
        for kind, url in self.databases().items():
            with self.subTest(kind):
                tracker = self.tracker("--accounts", "--db", url)
                self.register(tracker, "anna", user=f"{kind}-anna")
                key = self.passkey(f"{kind}-anna")
                for text in evil:
                    path = "/api/v1/files/" + "".join(f"%{b:02x}" for b in text.encode())
                    status, answer, _ = self.http(tracker, "POST", "/api/v1/register", {"user": text, "password": PASSWORD})
                    self.assertEqual((status, answer["error"]), (400, "bad_user"))
                    status, answer, _ = self.http(tracker, "PUT", path, torrent, key)
                    self.assertEqual(status, 400 if "\0" in text else 201, answer)
                    if status == 201:
                        self.assertEqual(self.http(tracker, "GET", path, passkey=key)[1]["name"], text)
                    self.assertIn(self.http(tracker, "GET", "/api/v1/files?after=" + path[14:], passkey=key)[0], (200, 400))
                    self.assertEqual(self.http(tracker, "GET", "/api/v1/files", passkey=text.encode().hex())[0], 401)
                for body in (b"", b"{", b"[]", b"null", b'{"user":1,"password":2}', b"\xff" * 100, b"[" * 10_000,
                             b'{"user":"anna","user":"root","password":"x"}'):
                    self.assertEqual(self.http(tracker, "POST", "/api/v1/login", body)[0], 400, body[:40])
                big = "x" * (10 << 20)
                # Who sends on after the answer may find the connection closed instead.
                for body in ({"user": big, "password": PASSWORD}, {"user": "otto", "password": big}):
                    self.assertIn(self.refused(tracker, "POST", "/api/v1/register", body), (413, None))
                self.assertIn(self.refused(tracker, "PUT", "/api/v1/files/big", big.encode() + b"x", key), (413, None))
                self.assertEqual(self.refused(tracker, "PUT", "/api/v1/files/big", big.encode(), key), 400)
                self.assertIn(self.refused(tracker, "GET", "/api/v1/files/" + big), (414, None))
                self.assertIn(self.refused(tracker, "GET", "/api/v1/files", headers={"Authorization": "Bearer " + big}),
                              (431, None))
                self.assertEqual(self.http(tracker, "POST", "/api/v1/register", {"user": "otto", "password": "x" * 1025})[0], 400)
                # All is as it was.
                names = [f["name"] for f in self.http(tracker, "GET", "/api/v1/files", passkey=key)[1]]
                self.assertEqual(sorted(names), sorted(t for t in evil if "\0" not in t))
                listed = self.run_shoal("tracker", "user", "list", "--json", "--db", url)
                self.assertEqual([json.loads(line)["user"] for line in listed.stdout().splitlines()], ["anna"])
                self.assertIsNone(self.announce(tracker, key))
                self.assertFalse(tracker.killed_by_signal)
                tracker.stop()

    def refused(self, tracker, *words, **options):
        """The status, or None where the tracker hung up before it was all sent."""
        try:
            return self.http(tracker, *words, **options)[0]
        except (ConnectionError, OSError):
            return None


class DatabaseTests(AccountCase):
    def test_a_restart_loses_nothing(self):
        for kind, url in self.databases().items():
            with self.subTest(kind):
                state = self.path("state", kind)
                tracker = self.tracker("--accounts", "--db", url, state=state)
                self.register(tracker, "anna", user=f"{kind}-anna")
                key = self.passkey(f"{kind}-anna")
                self.assertEqual(self.http(tracker, "PUT", "/api/v1/files/f", self.torrent(), key)[0], 201)
                entry = self.http(tracker, "GET", "/api/v1/files/f", passkey=key)[1]
                hash = "".join(f"%{entry['info_hash'][i:i + 2]}" for i in range(0, 40, 2))
                for event, left in (("started", 1), ("completed", 0)):
                    self.http(tracker, "GET", f"/announce/{key}?info_hash={hash}&peer_id={'y' * 20}&port=7003"
                                              f"&left={left}&event={event}")
                address = tracker.address
                tracker.stop()
                self.assertIn(tracker.code, (0, 143))

                tracker = self.tracker("--accounts", "--db", url, state=state, listen=address)
                again = self.http(tracker, "GET", "/api/v1/files/f", passkey=key)[1]
                self.assertEqual(again, entry | {"seeders": 1, "downloaded": 1})
                self.ask(tracker, "user", "login", "anna", text=PASSWORD + "\n", user="x")
                # And after a crash: what was confirmed is there.
                self.register(tracker, "otto", user=f"{kind}-otto")
                tracker.signal(signal.SIGKILL)
                tracker.wait()
                tracker = self.tracker("--accounts", "--db", url, state=state, listen=address)
                self.assertIsNone(self.announce(tracker, self.passkey(f"{kind}-otto")))
                self.assertEqual(self.http(tracker, "GET", "/api/v1/files/f", passkey=key)[1]["downloaded"], 1)
                tracker.stop()

    def test_two_trackers_on_one_postgresql_serve_one_catalogue(self):
        url = self.databases()["postgres"]
        one = self.tracker("--accounts", "--db", url)
        two = self.tracker("--accounts", "--db", url)
        self.register(one, "anna")
        key = self.passkey("anna")
        self.assertEqual(self.http(one, "PUT", "/api/v1/files/f", self.torrent(), key)[0], 201)
        until(lambda: self.announce(two, key) is None, 10, "the passkey at the other tracker")
        self.assertEqual([f["name"] for f in self.http(two, "GET", "/api/v1/files", passkey=key)[1]], ["f"])
        self.assertEqual(self.http(two, "DELETE", "/api/v1/files/f", passkey=key)[0], 200)
        self.assertEqual(self.http(one, "GET", "/api/v1/files", passkey=key)[1], [])
        self.register(two, "otto")
        self.ask(one, "user", "login", "otto", text=PASSWORD + "\n", user="otto-again")

    def test_announces_go_on_without_the_database_and_logins_when_it_is_back(self):
        server = postgres.Server()
        self.addCleanup(server.remove)
        tracker = self.tracker("--accounts", "--db", server.url())
        self.register(tracker, "anna")
        key = self.passkey("anna")
        server.stop()
        for port in range(7000, 7020):
            self.assertIsNone(self.announce(tracker, key, port))
        status, answer, headers = self.http(tracker, "POST", "/api/v1/login", {"user": "anna", "password": PASSWORD})
        self.assertEqual((status, answer["error"]), (503, "database"))
        self.assertTrue(headers["Retry-After"])
        server.start()
        def login():
            return self.http(tracker, "POST", "/api/v1/login", {"user": "anna", "password": PASSWORD})[0] == 200
        until(login, 10, "a login after the database came back", every=0.2)

    def test_a_database_that_cannot_be_used_is_named_with_the_reason(self):
        damaged = files.write(self.path("damaged.sqlite"), b"no database at all, but long enough for one" * 50)
        for url, code, words in [
            ("mysql://root:hush@h/db", 2, ["postgres://"]),
            ("postgres://anna:hush@127.0.0.1:1/db", 4, ["cannot reach", "refused"]),
            (f"postgres://anna:hush@/db?host={self.folder}", 4, ["cannot reach", "no such file"]),
            ("sqlite:" + damaged, 6, ["damaged"]),
            ("sqlite:" + self.path("no", "such", "folder"), 7, ["does not exist"]),
        ]:
            with self.subTest(url):
                process = self.run_shoal("tracker", "user", "add", "anna", "--db", url, env={
                    **environment(self.path("home")), "SHOAL_PASSWORD": PASSWORD})
                self.expect(process, code, *words)
                self.assertNotIn("hush", process.stderr())
                tracker = self.start("tracker", self.tracker_words("--db", url, state=self.path("state", "t")))
                self.assertEqual(tracker.wait(), code, tracker.log())
                said = tracker.stdout().decode() + tracker.stderr()
                self.assertIn(words[0], said.lower() if words[0].islower() else said)
                self.assertNotIn("hush", said)

    def test_nothing_prints_a_password_or_a_passkey(self):
        """R13, N53: logs, events, errors and the database know no secret."""
        url = self.databases()["postgres"]
        database = url.split("%3D")[1]
        tracker = self.tracker("-v", "--accounts", "--db", url.replace("shoal@", "shoal:hush-database@"))
        self.register(tracker, "anna")
        key = self.passkey("anna")
        self.ask(tracker, "user", "login", "anna", text="wrong-but-secret\n", user="x", code=8)
        self.assertEqual(self.http(tracker, "PUT", "/api/v1/files/f", self.torrent(), key)[0], 201)
        self.announce(tracker, key)
        seen = [self.http(tracker, "GET", path)[1] for path in ("/", "/metrics", "/api/v1/stats", "/healthz")]
        seen += [self.http(tracker, "GET", path, passkey=key)[1] for path in ("/api/v1/files", "/api/v1/peers", "/api/v1/files/f")]
        for process in self.processes:
            seen += [process.stdout(), process.stderr()]
        for table in ("accounts", "passkeys", "files", "swarms", "nodes"):
            seen.append(postgres.shared().sql(f"SELECT t::text FROM shoal_{table} t", database))
        everything = "\n".join(map(str, seen))
        for secret in (PASSWORD, key, key.upper(), "wrong-but-secret", "hush-database"):
            self.assertNotIn(secret, everything)
            # Bytes as PostgreSQL prints them.
            self.assertNotIn(secret.encode().hex(), everything)
        self.assertIn("$argon2id$v=19$m=65536,t=2,p=1$", everything)


def type_into(argv, env, answers, seconds=20):
    """Runs a program on a terminal and types each answer when its question stands there; what it showed, and its code."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(argv[0], argv, env)
    shown, deadline = b"", time.monotonic() + seconds
    try:
        for question, answer in answers + [(None, None)]:
            start = len(shown)
            while question is None or question not in shown[start:]:
                if time.monotonic() > deadline:
                    raise Failed(f"waited for {question!r} on the terminal\n{shown!r}")
                if not select.select([terminal], [], [], 0.1)[0]:
                    continue
                try:
                    data = os.read(terminal, 4096)
                except OSError:
                    data = b""
                if not data:
                    break
                shown += data
            if question:
                os.write(terminal, answer.encode() + b"\n")
        return shown, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    finally:
        os.close(terminal)
