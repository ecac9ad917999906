"""A real PostgreSQL server in a temporary folder, which ends with the tests, however those end.

PostgreSQL refuses to run as root, so root gives its rights up first. It listens on a socket in its folder alone.
"""
import atexit
import glob
import itertools
import os
import shutil
import subprocess
import tempfile
import threading

from .process import Failed

NOBODY = 65534
READY = b"ready to accept connections"


def programs():
    """Where its programs are, or None where it is not installed."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    return os.path.dirname(found[-1]) if found and shutil.which("setpriv") else None


class Server:
    """One server. `url()` names a schema of its own in it, as a `--db` takes it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="shoal-postgres-")
        self._numbers = itertools.count(1)
        if os.geteuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)
        self.child = None
        subprocess.run([*self._rights(), f"{programs()}/initdb", "-D", f"{self.folder}/data", "-U", "shoal", "-A", "trust",
                        "-E", "UTF8", "--locale=C", "--no-sync"], cwd=self.folder, check=True, stdout=subprocess.DEVNULL)
        self.start()

    @staticmethod
    def _rights():
        root = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
        return ["setpriv", "--pdeathsig=QUIT", *root]

    def start(self):
        """Starts it and waits until it answers."""
        ready = threading.Event()
        said = []

        def keep():
            # The server ends with the thread that made it, so that thread stays for as long as the server does.
            self.child = subprocess.Popen(
                [*self._rights(), f"{programs()}/postgres", "-D", "data", "-k", self.folder, "-h", "", "-c", "fsync=off",
                 "-c", "full_page_writes=off", "-c", "shared_buffers=16MB", "-c", "max_connections=64",
                 "-c", "autovacuum=off"],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            for line in self.child.stderr:
                said.append(line)
                if READY in line:
                    ready.set()
            self.child.wait()
            ready.set()

        self._keeper = threading.Thread(target=keep, daemon=True)
        self._keeper.start()
        if not ready.wait(20) or not any(READY in line for line in said):
            raise Failed("PostgreSQL does not start:\n" + b"".join(said).decode(errors="replace"))

    def stop(self):
        """Stops it at once, as an administrator does who is in a hurry; `start` begins where it ended."""
        if self.child and self.child.poll() is None:
            self.child.send_signal(2)
        self._keeper.join(10)

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, text, schema="public"):
        """Runs statements as somebody else would, and returns what they print, without heads."""
        done = subprocess.run(
            [f"{programs()}/psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", "shoal",
             "-d", "postgres", "-c", f"SET search_path = {schema}", "-c", text],
            capture_output=True, text=True, timeout=20)
        if done.returncode:
            raise Failed(f"psql: {done.stderr}")
        return done.stdout

    def url(self):
        """The URL of a schema that nobody else uses; it ends with the schema's name."""
        name = f"s{os.getpid()}_{next(self._numbers)}"
        self.sql(f"CREATE SCHEMA {name}")
        return f"postgres://shoal@/postgres?host={self.folder}&options=-csearch_path%3D{name}"


_lock = threading.Lock()
_shared = None


def shared():
    """The server of all tests of this process, started at the first use."""
    global _shared
    with _lock:
        if _shared is None:
            _shared = Server()
            atexit.register(_shared.remove)
        return _shared
