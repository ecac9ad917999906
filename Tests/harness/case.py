"""The base of all black-box tests: a folder, processes that end with the test, and words for driving `shoal`."""
import os
import shutil
import socket
import tempfile
import unittest

from . import dht, files
from .process import Process, until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHOAL = os.path.abspath(os.environ.get("SHOAL") or os.path.join(ROOT, ".build", "release", "shoal"))


def environment(home):
    """What a program under test sees: no option of ours leaks in, nothing of the person's home leaks out."""
    kept = {k: v for k, v in os.environ.items()
            if not k.startswith(("SHOAL", "XDG_", "HARNESS_")) and k not in ("NO_COLOR", "http_proxy", "https_proxy")}
    return {**kept, "HOME": home, "XDG_STATE_HOME": os.path.join(home, "state"), "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}


def closed_port(kind=socket.SOCK_DGRAM):
    """A port of loopback on which nobody listens: taken once, and let go."""
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Case(unittest.TestCase):
    """One test: everything in a folder of its own, everything it started ended by id."""

    host = "127.0.0.1"

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="shoal-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.processes = []
        self.empty_file = files.write(self.path("no-bootstrap.txt"), b"")
        self._count = 0

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def new_folder(self, *parts):
        os.makedirs(self.path(*parts), exist_ok=True)
        return self.path(*parts)

    def logs(self):
        return "\n".join(p.log() for p in getattr(self, "processes", []))

    def start(self, name, argv, **options):
        """Starts any program; it is stopped when the test ends."""
        self._count += 1
        options.setdefault("env", environment(self.path("home")))
        process = Process(name, argv, self.path("log", f"{self._count}-{name}"), **options)
        self.processes.append(process)
        self.addCleanup(process.stop)
        return process

    def shoal(self, verb, *args, state=None, **options):
        """Starts `shoal VERB ARGS --state DIR`; a fresh state folder unless one is named."""
        state = state or self.path("state", f"{self._count}-{verb}")
        return self.start(verb, [SHOAL, verb, *args, "--state", state], **options)

    def run_shoal(self, *args, seconds=20, **options):
        """Runs `shoal` with exactly these arguments to its end and returns the process."""
        process = self.start(str(args[0] if args else "shoal"), [SHOAL, *args], **options)
        process.wait(seconds)
        return process

    def expect(self, process, code, *words):
        """The exit code, and for a failure a sentence on standard error that has one of each of the words."""
        self.assertEqual(process.code, code, process.log())
        said = process.stderr().lower()
        for word in words:
            alternatives = word.split("|")
            self.assertTrue(any(w.lower() in said for w in alternatives), f"'{word}' is not said\n{process.log()}")
        if code not in (0, 130, 143):
            self.assertGreater(len(said.split()), 3, f"no sentence\n{process.log()}")

    # A network.

    def listening(self, process, seconds=10):
        process.address = process.event("listening", seconds)["address"]
        return process

    def node(self, *args, bootstrap=None, host=None, **options):
        """A `shoal node` that listens; without `bootstrap` it is the first of its network."""
        join = ["--bootstrap", bootstrap] if bootstrap else ["--bootstrap-file", self.empty_file]
        return self.listening(self.shoal(
            "node", "--json", "--listen", f"{host or self.host}:0", *join, *args, **options))

    def share(self, path, *args, bootstrap, host=None, seconds=30, **options):
        """A `shoal share` whose torrent can be fetched."""
        paths = path if isinstance(path, list) else [path]
        process = self.listening(self.shoal(
            "share", *paths, "--json", "--listen", f"{host or self.host}:0", "--bootstrap", bootstrap, *args, **options))
        process.torrent = process.event("torrent", seconds)
        process.info_hash = process.torrent["info_hash"]
        return process

    def fetch(self, what, output, *args, bootstrap=None, host=None, **options):
        """Starts a `shoal fetch --json`; without `bootstrap` it knows only what its arguments say."""
        join = ["--bootstrap", bootstrap] if bootstrap else ["--bootstrap-file", self.empty_file]
        return self.shoal("fetch", what, "-o", output, "--json", "--listen", f"{host or self.host}:0", *join, *args, **options)

    def fetched(self, what, output, *args, seconds=30, code=0, **options):
        """A fetch that ended well (or with `code`)."""
        process = self.fetch(what, output, *args, **options)
        process.wait(seconds)
        self.assertEqual(process.code, code, process.log())
        return process

    def same(self, ours, theirs):
        """Both files, or all files of both folders, are identical."""
        if os.path.isdir(ours):
            self.assertEqual(files.tree(ours), files.tree(theirs))
        else:
            self.assertEqual(files.sha256(ours), files.sha256(theirs))

    # Python speakers.

    def speaker(self, kind, *args, **options):
        """A `dht.Node`, `peer.Seeder` or subclass that is closed when the test ends."""
        made = kind(*args, **options)
        self.addCleanup(made.close)
        return made

    def announced(self, seeder, at):
        """Puts a Python seeder into the DHT through the node at `at`; returns the seeder."""
        caller = self.speaker(dht.Node, seeder.address[0])
        answer = caller.announce(dht.parse(at), seeder.torrent.info_hash, seeder.port)
        self.assertIsNotNone(answer, "the node did not answer announce_peer")
        return seeder

    def known_peers(self, at, info_hash, count=1, seconds=20):
        """Waits until the node at `at` knows `count` peers of the torrent; in a network of few nodes each of them does."""
        # From an address of its own, and seldom: nodes fall silent towards an address that asks too often.
        asker = self.speaker(dht.Node, "127.0.0.1" if at.startswith("127.") else "10.77.1.1")
        key = bytes.fromhex(info_hash) if isinstance(info_hash, str) else info_hash
        return until(lambda: (p := asker.peers(dht.parse(at), key)[0]) and len(p) >= count and p, seconds,
                     f"{count} peers of {key.hex()} at {at}", self.logs, every=0.3)
