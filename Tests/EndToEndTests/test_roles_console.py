"""The documented roles of peers and trackers, typed as their users type them, on a terminal and through a pipe."""
import os
import unittest

from harness import files, postgres
from harness.case import SHOAL
from harness.process import until
from harness.tracker import TrackerCase
from harness.typist import KINDS, Typist


class RoleCase(TrackerCase):
    def typist(self, kind, name, *words, env=None, cwd=None, state=None):
        self._count += 1
        state = state or self.path("users", f"{name}-{self._count}")
        argv = [SHOAL, *words, "--state", state]
        typist = Typist(kind, name, argv, self.path("log", f"{self._count}-{name}"), self.path("home"), env=env, cwd=cwd)
        self.processes.append(typist.process)
        self.addCleanup(typist.close)
        return typist

    def peer(self, kind, name, tracker, folder, *words, **options):
        return self.typist(kind, name, "console", "--tracker", tracker.url, "--id", name, "--dir", folder, "--listen",
                           "127.0.0.1:0", "--no-dht", "--no-lan", *words, **options)

    def arrives(self, path, data):
        until(lambda: os.path.exists(path) and os.path.getsize(path) == len(data) and files.read(path) == data, 15,
              f"{path} to arrive", self.logs)


class MenuTests(RoleCase):
    @unittest.skipUnless(postgres.programs(), "PostgreSQL is not installed")
    def test_menu(self):
        """register, log in, register a file, download a file, exit: a numbered menu on a tracker with PostgreSQL"""
        for kind in KINDS:
            with self.subTest(kind=kind):
                url = postgres.shared().url()
                schema = url.rsplit("%3D", 1)[1]
                tracker = self.tracker("--accounts", "--db", url)
                data = os.urandom(200_000)
                seeder, leecher = self.new_folder(kind, "a"), self.new_folder(kind, "b")
                files.write(os.path.join(seeder, "film one.txt"), data)

                alice = self.peer(kind, "alice", tracker, seeder)
                alice.expect("1 Register\n2 Login\n3 Register file\n4 Download file\n5 Exit")
                alice.type("3", "film one.txt")
                alice.expect("log in")
                alice.type("1", "alice")
                alice.password("correct horse")
                alice.expect("registered and logged in as alice")
                alice.type("Register file", "film one.txt")
                alice.expect("registered and sharing film one.txt")

                bob = self.peer(kind, "bob", tracker, leecher)
                bob.type("Register", "bob")
                bob.password("battery staple")
                bob.expect("registered and logged in as bob")
                bob.type("2", "bob")
                bob.password("wrong", again=False)
                bob.expect("password")
                bob.type("Login", "bob")
                bob.password("battery staple", again=False)
                bob.expect("(?<!and )logged in as bob")
                bob.type("4", "film one.txt")
                bob.expect("downloaded film one.txt")
                self.assertEqual(files.read(os.path.join(leecher, "film one.txt")), data)
                bob.type("5")
                # Something failed in between, which a script is told by the exit code.
                self.assertEqual(bob.process.wait(), 0 if kind == "terminal" else 8, bob.text)
                alice.type("exit")
                alice.process.wait()

                for word in ("correct horse", "battery staple"):
                    self.assertNotIn(word, alice.text + bob.text)
                hashes = postgres.shared().sql("SELECT * FROM shoal_accounts", schema)
                self.assertEqual(hashes.count("$argon2id$"), 2, hashes)
                tracker.stop()

    def test_password_from_environment(self):
        """SHOAL_PASSWORD skips the question, and --password-file too"""
        tracker = self.tracker("--accounts")
        folder = self.new_folder("a")
        for word in ("environment", "file"):
            with self.subTest(word=word):
                secret = files.write(self.path("secret"), b"correct horse\n")
                options = {"env": {"SHOAL_PASSWORD": "correct horse"}} if word == "environment" else {}
                words = ["--password-file", secret] if word == "file" else []
                peer = self.peer("terminal", "p", tracker, folder, *words, **options)
                peer.type("1", f"user-{word}")
                peer.expect("registered and logged in")
                peer.type("5")
                self.assertEqual(peer.process.wait(), 0, peer.text)
                self.assertNotIn("Password", peer.text)


class LineTests(RoleCase):
    def test_torrent_modes(self):
        """torrent -mode send FILE, download FILE, scrape FILE, exit, with a folder for each peer"""
        for kind in KINDS:
            with self.subTest(kind=kind):
                tracker = self.tracker()
                here = self.new_folder(f"lines-{kind}")
                data = os.urandom(300_000)
                os.makedirs(os.path.join(here, "peer_files", "peer_1"))
                files.write(os.path.join(here, "peer_files", "peer_1", "a file.bin"), data)
                one = self.peer(kind, "1", tracker, "./peer_files/peer_1", cwd=here)
                one.type("torrent -mode send a file.bin")
                one.expect("registered and sharing a file.bin")
                two = self.peer(kind, "2", tracker, "./peer_files/peer_2", cwd=here)
                two.type("torrent -mode scrape a file.bin")
                two.expect("a file.bin: 1 seeder, 0 leechers")
                two.type("torrent -mode download a file.bin")
                if kind == "terminal":
                    two.expect("downloaded a file.bin")
                # In a pipe the end waits for what is on its way.
                two.type("torrent -mode exit")
                self.assertEqual(two.process.wait(), 0, two.text)
                self.assertEqual(files.read(os.path.join(here, "peer_files", "peer_2", "a file.bin")), data)
                if kind == "pipe":
                    one.end_input()
                else:
                    one.type("torrent -mode exit")
                self.assertEqual(one.process.wait(), 0, one.text)
                tracker.stop()

    def test_stalled(self):
        """a download in which nothing moves says what it waits for, and goes on when somebody has it again"""
        tracker = self.tracker("--interval", "5")
        data, here = os.urandom(2_000_000), self.new_folder("stalled")
        share = ["share", files.write(self.path("film"), data), "--tracker", tracker.url, "--no-dht", "--json", "--listen",
                 "127.0.0.1:0"]
        first = self.shoal(*share, "--limit-up", "300K")
        first.event("notice", where=lambda e: "registered" in e["message"])
        peer = self.peer("pipe", "1", tracker, here)
        peer.type("torrent -mode download film", "exit")
        peer.expect("downloading film")
        first.event("progress", where=lambda e: e["uploaded"] > 100_000)
        first.stop()
        peer.expect("film waits: no peer answers")
        self.shoal(*share)
        self.assertEqual(peer.process.wait(30), 0, peer.text)
        self.assertEqual(files.read(os.path.join(here, "film")), data)

    def test_names_that_lead_out(self):
        """only plain files directly inside the folder are sent or fetched, and links are not followed (F4)"""
        tracker = self.tracker()
        folder = self.new_folder("out", "peer")
        files.write(self.path("out", "secret"), b"secret")
        os.symlink(self.path("out", "secret"), os.path.join(folder, "link"))
        os.mkdir(os.path.join(folder, "folder"))
        peer = self.peer("pipe", "1", tracker, folder)
        for name, words in [("../secret", "without a path"), ("/etc/passwd", "without a path"), ("..", "without a path"),
                            ("link", "symlink"), ("folder", "not a regular file"), ("absent", "does not exist"),
                            ("", "without a path")]:
            peer.type(f"torrent -mode send {name}")
            peer.expect(words)
        peer.type("torrent -mode download ../secret", "torrent -mode download absent", "frobnicate", "torrent -mode")
        peer.expect("choose from the menu")
        peer.type("5")
        self.assertEqual(peer.process.wait(), 2, peer.text)
        self.assertEqual(self.http(tracker, "GET", "/api/v1/files")[1], [])


class TrackerTerminalTests(RoleCase):
    def test_list_fileinfo_peerinfo(self):
        """torrent -mode list, fileinfo FILE, peerinfo in the tracker's own terminal, and in shoal tracker console"""
        state = self.path("tracker-state")
        own = self.typist("terminal", "tracker", "tracker", "run", "--listen", "127.0.0.1:0", "--accounts", state=state)
        address = own.expect(r"over HTTP and UDP on (127\.0\.0\.1:\d+)").group(1)
        own.url, own.address = f"http://{address}", address
        folder = self.new_folder("shared")
        files.write(os.path.join(folder, "some file"), os.urandom(100_000))
        peer = self.peer("pipe", "1", own, folder, env={"SHOAL_PASSWORD": "correct horse"}, state=self.path("peer-state"))
        peer.type("1", "alice", "3", "some file")
        peer.expect("registered and sharing some file")

        asked = [("terminal", own)] + [
            (kind, self.typist(kind, "console", "tracker", "console", "--tracker", own.url, state=self.path("peer-state")))
            for kind in KINDS]
        for kind, console in asked:
            with self.subTest(kind=kind, console=console.process.name):
                console.type("torrent -mode list")
                console.expect("some file +97.*alice")
                console.type("torrent -mode fileinfo some file")
                console.expect(r"info-hash +[0-9a-f]{40}")
                console.expect(r"swarm +1 seeder, 0 leechers")
                console.type("torrent -mode peerinfo")
                console.expect(r"127\.0\.0\.1:\d+ +seeder +shoal.*some file")
                console.type("torrent -mode fileinfo absent")
                console.expect("absent|no such|not known|no file")
                console.type("torrent -mode nonsense")
                console.expect("torrent -mode list")
        for kind, console in asked[1:]:
            console.type("exit")
            self.assertEqual(console.process.wait(), 0 if kind == "terminal" else 7, console.text)
        own.type("exit")
        self.assertEqual(own.process.wait(), 0, own.text)


class PairTests(RoleCase):
    def test_reconstructed_download(self):
        """tracker on port 9090, a peer on 8001 that shares, one on 8002 that takes what there is: reconstructed_download.txt"""
        here = self.new_folder("pair")
        data = b"line\n" * 40_000
        files.write(os.path.join(here, "sample.txt"), data)
        # The ports as documented: the tests have a network of their own, and no other test takes these.
        self.tracker(listen=":9090")
        url, common = "http://127.0.0.1:9090", ("--no-dht", "--no-lan")
        seed = self.shoal("share", "sample.txt", "--listen", "127.0.0.1:8001", "--tracker", url, *common, "--json", cwd=here)
        seed.event("notice", where=lambda e: "registered" in e["message"])
        get = self.shoal("fetch", "--any", "--tracker", url, "--listen", "127.0.0.1:8002", *common, "-o",
                         "reconstructed_download.txt", cwd=here)
        self.assertEqual(get.wait(), 0, get.log())
        self.assertEqual(files.read(os.path.join(here, "reconstructed_download.txt")), data)
        # The tracker's port is named where another has it, with the way out.
        second = self.run_shoal("tracker", "run", "--listen", ":9090", "--state", self.path("second"))
        self.expect(second, 4, "9090", "--listen")

    def test_tracker_restarts(self):
        """a tracker that is started again has its files at once, and the peers come back by themselves"""
        data = os.urandom(100_000)
        files.write(self.path("sample"), data)
        tracker = self.tracker("--interval", "2", "--min-interval", "1")
        seed = self.shoal("share", self.path("sample"), "--listen", "127.0.0.1:0", "--tracker", tracker.url, "--no-dht",
                          "--no-lan", "--json")
        seed.event("notice", where=lambda e: "registered" in e["message"])
        # As a crash does, so that nothing is saved in leaving.
        tracker.signal(9)
        tracker.wait()
        again = self.tracker("--interval", "2", "--min-interval", "1", state=tracker.state, listen=tracker.address)
        self.assertEqual([f["name"] for f in self.http(again, "GET", "/api/v1/files")[1]], ["sample"])
        until(lambda: self.http(again, "GET", "/api/v1/stats")[1]["seeders"] == 1, 20, "the peer to come back", self.logs)
        get = self.shoal("fetch", f"sample@{again.address}", "--listen", "127.0.0.1:0", "--no-dht", "--no-lan", "-o",
                         self.path("back"))
        self.assertEqual(get.wait(), 0, get.log())
        self.assertEqual(files.read(self.path("back")), data)
