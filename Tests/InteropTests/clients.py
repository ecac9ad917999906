"""The other clients, each on an address of its own, finding peers through the DHT alone.

`seed(torrent, folder)` adds complete data by .torrent; `fetch(what, folder)` takes a .torrent or a magnet link;
`is_complete()` says whether everything is there and checked. `bootstrap` is a list of `ip:port`. All of them: no trackers, no LAN discovery, no peer
exchange, no port mapping, no µTP, plain text unless they prefer encryption.
"""
import base64
import http.client
import itertools
import json
import os
import shutil
import subprocess
import threading

from harness.case import ROOT
from harness.process import until

_numbers = itertools.count(2)
_lock = threading.Lock()


def new_address():
    """An address in a /24 of its own: DHT nodes keep few contacts of one /24."""
    with _lock:
        number = next(_numbers)
    # Three of the four networks that the tests' namespace has.
    return f"10.{77 + number // 256}.{number % 256}.1"


def libtorrent_python():
    """An interpreter that has libtorrent, or None."""
    for python in (os.environ.get("LIBTORRENT_PYTHON"), os.path.join(ROOT, ".venv", "bin", "python")):
        if python and os.access(python, os.X_OK):
            if subprocess.run([python, "-c", "import libtorrent"], capture_output=True, check=False).returncode == 0:
                return python
    return None


class Client:
    """One client; `case` owns its process and its folders."""

    needs = ""
    #: Seconds for one transfer, three times what was measured: DHT clients of this kind act on timers of many seconds.
    patience = 60
    #: DHT nodes around it.
    network = 3
    #: Whether it tries an obfuscated handshake (MSE) before a plain one.
    prefers_encryption = False

    def __init__(self, case, bootstrap):
        self.case, self.bootstrap = case, bootstrap
        self.ip, self.port = new_address(), 6881
        self.folder = case.path(f"{self.name}-{self.ip}")
        os.makedirs(self.folder, exist_ok=True)
        self.process = None

    @classmethod
    def missing(cls):
        """None, or which program is not there and how to get it."""
        return None if shutil.which(cls.program) else f"{cls.program} is not installed (apt-get install {cls.needs})"

    def run(self, argv, **options):
        self.process = self.case.start(f"{self.name}-{self.ip}", argv, cwd=self.folder, **options)

    def wait_complete(self, seconds=None):
        until(self.is_complete, seconds or self.patience, f"{self.name} to have everything", self.case.logs)


class Libtorrent(Client):
    name = "libtorrent"
    signature = "libtorrent"

    @classmethod
    def missing(cls):
        return None if libtorrent_python() else "libtorrent is not in .venv (.venv/bin/pip install libtorrent)"

    def join(self, **task):
        """Starts the session; it joins the DHT, and carries out the task if there is one."""
        worker = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libtorrent_worker.py")
        config = {"ip": self.ip, "port": self.port, "bootstrap": ",".join(self.bootstrap), "folder": self.folder,
                  "encryption": self.prefers_encryption, **task}
        self.run([libtorrent_python(), worker, json.dumps(config)])
        self.address = self.process.event("listening", 20)["address"]

    def seed(self, torrent, folder):
        self.join(torrent=torrent, folder=folder)

    def fetch(self, what, folder):
        self.join(folder=folder, **({"magnet": what} if what.startswith("magnet:") else {"torrent": what}))

    def is_complete(self):
        return bool(self.process.all("complete"))


class LibtorrentIPv6(Libtorrent):
    """The same where there is no IPv4: all on one address, each with a port of its own."""

    def __init__(self, case, bootstrap):
        super().__init__(case, bootstrap)
        self.ip, self.port = "[::1]", 0


class Aria2(Client):
    name = "aria2"
    signature = "aria2"
    program, needs = "aria2c", "aria2"
    patience = 90

    def start(self, what, folder, *options):
        argv = [
            "aria2c", "--no-conf=true", f"--interface={self.ip}", f"--listen-port={self.port}", f"--dht-listen-port={self.port}",
            "--enable-dht=true", "--enable-dht6=false", "--disable-ipv6=true", f"--dht-file-path={self.folder}/dht.dat",
            "--bt-enable-lpd=false", "--enable-peer-exchange=false", "--async-dns=false",
            f"--bt-min-crypto-level={'arc4' if self.prefers_encryption else 'plain'}",
            "--file-allocation=none", "--auto-save-interval=0", "--summary-interval=0", "--show-console-readout=false",
            "--console-log-level=notice", f"--dir={folder}", "--follow-torrent=mem", *options, what]
        if self.bootstrap:
            argv[-1:-1] = [f"--dht-entry-point={self.bootstrap[0]}"]
        self.run(argv)

    def seed(self, torrent, folder):
        self.start(torrent, folder, "--seed-ratio=0.0", "--check-integrity=true", "--bt-hash-check-seed=true")

    def fetch(self, what, folder, keep_seeding=False):
        """It exits when it has everything, unless it is to go on seeding; then a hook makes a file that says so."""
        self.complete_mark = os.path.join(self.folder, "complete") if keep_seeding else None
        if not keep_seeding:
            return self.start(what, folder, "--seed-time=0")
        hook = os.path.join(self.folder, "hook")
        with open(hook, "w") as f:
            f.write(f"#!/bin/sh\n: >'{self.complete_mark}'\n")
        os.chmod(hook, 0o755)
        return self.start(what, folder, "--seed-ratio=0.0", f"--on-bt-download-complete={hook}")

    def is_complete(self):
        if self.complete_mark:
            return os.path.exists(self.complete_mark)
        if self.process.code not in (None, 0):
            self.case.fail(f"aria2 gave up\n{self.process.log()}")
        return self.process.code == 0


class Transmission(Client):
    name = "transmission"
    signature = "Transmission"
    program, needs = "transmission-daemon", "transmission-daemon"
    patience = 150
    #: It calls its DHT broken, and does not search, below nine nodes.
    network = 12

    def start(self):
        config = os.path.join(self.folder, "config")
        os.makedirs(config, exist_ok=True)
        with open(os.path.join(config, "settings.json"), "w") as f:
            json.dump({
                "bind-address-ipv4": self.ip, "bind-address-ipv6": "::1", "peer-port": self.port,
                "peer-port-random-on-start": False, "port-forwarding-enabled": False, "dht-enabled": True,
                "lpd-enabled": False, "pex-enabled": False, "utp-enabled": False,
                "encryption": 1 if self.prefers_encryption else 0,
                "rpc-bind-address": self.ip, "rpc-port": 9091, "rpc-whitelist-enabled": False,
                "rpc-host-whitelist-enabled": False, "rpc-authentication-required": False,
                "download-queue-enabled": False, "seed-queue-enabled": False, "queue-stalled-enabled": False,
                "ratio-limit-enabled": False, "idle-seeding-limit-enabled": False, "download-dir": self.folder,
                "incomplete-dir-enabled": False, "start-added-torrents": True, "message-level": 3,
            }, f)
        if self.bootstrap:
            with open(os.path.join(config, "dht.bootstrap"), "w") as f:
                f.write("".join(node.replace(":", " ") + "\n" for node in self.bootstrap))
        self.session = ""
        self.run(["transmission-daemon", "--foreground", "--config-dir", config])
        until(lambda: self.rpc("session-get"), 20, "Transmission's RPC", self.case.logs)

    def rpc(self, method, **arguments):
        """The answer's arguments, or None while it does not answer."""
        body = json.dumps({"method": method, "arguments": arguments})
        for _ in range(2):
            connection = http.client.HTTPConnection(self.ip, 9091, timeout=10)
            try:
                connection.request("POST", "/transmission/rpc", body, {"X-Transmission-Session-Id": self.session})
                answer = connection.getresponse()
                data = answer.read()
            except OSError:
                return None
            finally:
                connection.close()
            if answer.status != 409:
                return json.loads(data).get("arguments") or True
            self.session = answer.getheader("X-Transmission-Session-Id")
        return None

    def add(self, what, folder):
        self.start()
        if what.startswith("magnet:"):
            content = {"filename": what}
        else:
            with open(what, "rb") as f:
                content = {"metainfo": base64.b64encode(f.read()).decode()}
        self.rpc("torrent-add", **content, **{"download-dir": folder, "paused": False})

    seed = fetch = add

    def status(self):
        answer = self.rpc("torrent-get", fields=[
            "leftUntilDone", "sizeWhenDone", "metadataPercentComplete", "haveValid", "error", "errorString"])
        torrents = answer["torrents"] if isinstance(answer, dict) else []
        return torrents[0] if torrents else {}

    def is_complete(self):
        status = self.status()
        if status.get("error") == 3:
            self.case.fail(f"Transmission: {status['errorString']}")
        return status.get("sizeWhenDone", 0) > 0 and status.get("leftUntilDone") == 0 \
            and status.get("metadataPercentComplete") == 1 and status.get("haveValid") == status["sizeWhenDone"]


ALL = [Libtorrent, Aria2, Transmission]


class EncryptingLibtorrent(Libtorrent):
    prefers_encryption = True


class EncryptingAria2(Aria2):
    prefers_encryption = True


class EncryptingTransmission(Transmission):
    prefers_encryption = True
