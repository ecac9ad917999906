"""What a person sees: the live display on a terminal, plain lines elsewhere, and the events of --json."""
import fcntl
import os
import pty
import re
import struct
import sys
import termios
import threading
import time

from harness import files
from harness.case import Case, SHOAL, environment
from harness.process import until
from harness.runner import long
from harness.torrent import Torrent


class Terminal:
    """A pseudo-terminal of 80 columns whose output is read on a thread."""

    def __init__(self, columns=80):
        self.ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.output = b""
        self.before = termios.tcgetattr(self.theirs)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            try:
                data = os.read(self.ours, 65536)
            except OSError:
                return
            if not data:
                return
            self.output += data

    @property
    def text(self):
        return self.output.decode(errors="replace")

    def settings(self):
        return termios.tcgetattr(self.theirs)

    def type(self, data):
        os.write(self.ours, data)

    def close(self):
        os.close(self.theirs)
        os.close(self.ours)


class TerminalTests(Case):
    def on_terminal(self, *arguments, columns=80, env=None):
        terminal = self.speaker(Terminal, columns)
        command = [SHOAL, *arguments, "--state", self.path("terminal-state")]
        # The terminal becomes the controlling one, so that Ctrl-C is a signal as for a person; then exec, same id.
        wrapper = ("import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
                   "os.execv(sys.argv[1], sys.argv[1:])")
        process = self.start("terminal", [sys.executable, "-c", wrapper, *command], pty=terminal.theirs,
                             **({"env": env} if env else {}))
        return terminal, process

    def slow_share(self):
        network = self.node().address
        source = files.random_file(self.path("source", "display.bin"), 6 << 20)
        return network, source, self.share(source, "--limit-up", "2M", bootstrap=network)

    def test_live_display(self):
        """fetch on a terminal draws and redraws bar, percent, rate, peers and time left"""
        network, source, sharer = self.slow_share()
        terminal, process = self.on_terminal(
            "fetch", sharer.info_hash, "-o", self.path("out.bin"), "--listen", "127.0.0.1:0", "--bootstrap", network)
        self.assertEqual(process.wait(30), 0, terminal.text[-2000:])
        self.same(source, self.path("out.bin"))
        self.assertGreater(len(set(re.findall(r"(\d+\.\d)%", terminal.text))), 3, terminal.text[-2000:])
        for pattern in (r"[=#█━]", r"[KM]i?B/s", r"1 peer", r"\d+ ?s", r"display\.bin"):
            self.assertRegex(terminal.text, pattern)
        self.assertRegex(terminal.text, "\r|\x1b\\[", "nothing was redrawn in place")
        for line in re.split(r"\r\n|\r|\n", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\n", terminal.text)):
            self.assertLessEqual(len(line), 80, f"wider than the terminal: {line!r}")

    def test_interrupt(self):
        """Ctrl-C on a terminal ends fetch with 130 within three seconds and leaves the terminal as it was"""
        network, _, sharer = self.slow_share()
        terminal, process = self.on_terminal(
            "fetch", sharer.info_hash, "-o", self.path("out.bin"), "--listen", "127.0.0.1:0", "--bootstrap", network)
        until(lambda: re.search(r"\d\.\d%", terminal.text), 15, "the display", lambda: terminal.text[-1500:])
        terminal.type(b"\x03")
        self.assertEqual(process.wait(3), 130, terminal.text[-1500:])
        self.assertEqual(terminal.settings(), terminal.before)
        hidden, shown = terminal.text.rfind("\x1b[?25l"), terminal.text.rfind("\x1b[?25h")
        self.assertGreaterEqual(shown, hidden, "the cursor stays hidden")

    def test_share_shows_upload(self):
        """share on a terminal prints link and command, and shows the upload"""
        network = self.node().address
        source = files.random_file(self.path("source", "display.bin"), 6 << 20)
        terminal, process = self.on_terminal(
            "share", source, "--listen", "127.0.0.1:0", "--limit-up", "2M", "--bootstrap", network)
        found = until(lambda: re.search(r"btih:([0-9a-f]{40})", terminal.text), 15, "the link", lambda: terminal.text)
        self.fetched(found.group(1), self.path("out.bin"), bootstrap=network)
        self.assertIn("shoal fetch", terminal.text)
        self.assertRegex(terminal.text, r"[KM]i?B/s")
        terminal.type(b"\x03")
        self.assertEqual(process.wait(3), 130)

    def test_hostile_name(self):
        """escape sequences in a torrent's name never reach the terminal"""
        torrent = Torrent.of("\u202egnp.exe\u009b31m", b"x" * 100)
        torrent_file = torrent.save(self.path("x.torrent"))
        terminal, process = self.on_terminal("torrent", "show", torrent_file)
        process.wait()
        for bad in ("\u202e", "\u009b31m"):
            self.assertNotIn(bad, terminal.text)

    def test_no_color(self):
        """NO_COLOR is honoured"""
        env = {**environment(self.path("home")), "NO_COLOR": "1"}
        terminal, process = self.on_terminal("fetch", env=env)
        process.wait()
        self.assertNotRegex(terminal.text, r"\x1b\[[0-9;]*m")


class PipeTests(Case):
    def test_share_in_a_pipe(self):
        """a piped share prints the magnet link alone on standard output, the rest on standard error"""
        network = self.node().address
        source = files.random_file(self.path("source", "x.bin"), 1000)
        process = self.shoal("share", source, "--listen", "127.0.0.1:0", "--bootstrap", network)
        until(lambda: process.stdout().endswith(b"\n"), 10, "the link", self.logs)
        self.assertRegex(process.stdout().decode(), r"^magnet:\?xt=urn:btih:[0-9a-f]{40}[^\s]*\n$")
        command = until(lambda: re.search(r"shoal fetch .*", process.stderr()), 5, "the command", self.logs).group(0)
        ran = self.start("as-told", ["bash", "-c", f"{command.replace('shoal', SHOAL, 1)} --listen 127.0.0.1:0 "
                                     f"--bootstrap {network} -o {self.path('out.bin')} --state {self.path('s')}"])
        self.assertEqual(ran.wait(), 0, ran.log())
        self.same(source, self.path("out.bin"))
        self.assertNotIn("\x1b", process.stderr())

    def test_fetch_in_a_pipe(self):
        """a piped fetch says what it waits for in plain lines and prints where the data is"""
        network = self.node()
        source = files.random_file(self.path("source", "x.bin"), 1000)
        out = self.path("out.bin")
        sharer = self.share(source, bootstrap=network.address)
        process = self.shoal("fetch", sharer.info_hash, "-o", out, "--listen", "127.0.0.1:0", "--bootstrap", network.address)
        self.assertEqual(process.wait(), 0, process.log())
        self.assertNotIn("\x1b", process.stderr())
        self.assertNotIn("\r", process.stderr())
        self.assertIn("out.bin", process.stderr() + process.stdout().decode())
        waiting = self.shoal("fetch", "ab" * 20, "--listen", "127.0.0.1:0", "--bootstrap", network.address)
        until(lambda: re.search(r"peer|node", waiting.stderr()), 12, "a word about what it waits for", self.logs)

    @long
    def test_pace(self):
        """a waiting fetch that is piped writes a line about every ten seconds, not more"""
        network = self.node()
        waiting = self.shoal("fetch", "ab" * 20, "--listen", "127.0.0.1:0", "--bootstrap", network.address)
        until(lambda: time.monotonic() - waiting.started > 23, 30, "23 seconds to pass", every=0.2)
        lines = waiting.stderr().splitlines()
        self.assertGreaterEqual(len(lines), 2, lines)
        self.assertLessEqual(len(lines), 7, lines)

    def test_quiet(self):
        """-q leaves standard error empty when all goes well"""
        network = self.node()
        source = files.random_file(self.path("source", "x.bin"), 1000)
        sharer = self.share(source, bootstrap=network.address)
        process = self.shoal("fetch", sharer.info_hash, "-q", "-o", self.path("out"), "--listen", "127.0.0.1:0",
                             "--bootstrap", network.address)
        self.assertEqual((process.wait(), process.stderr()), (0, ""), process.log())


NUMBER = (int, float)
SHAPES = {
    "listening": {"address": str, "node_id": str},
    "torrent": {"info_hash": str, "name": str, "size": int, "piece_length": int, "pieces": int, "files": int, "magnet": str},
    "progress": {"info_hash": str, "state": str, "done": int, "size": int, "percent": NUMBER, "down_bps": NUMBER,
                 "up_bps": NUMBER, "peers": int},
    "peer": {"info_hash": str, "address": str, "state": str, "source": str, "secure": bool, "downloaded": int, "pieces": int},
    "done": {"info_hash": str, "path": str, "seconds": NUMBER, "verified": bool, "size": int, "downloaded": int},
    "error": {"code": str, "exit": int, "message": str},
    "dht": {"nodes": int, "joined": bool},
    "notice": {"message": str},
}
STATES = {"progress": {"hashing", "checking", "metadata", "downloading", "seeding", "paused"},
          "peer": {"connected", "closed", "banned", "refused"}}


class EventTests(Case):
    def check(self, process):
        for event in process.read_events():
            shape = SHAPES.get(event["event"])
            self.assertIsNotNone(shape, f"unknown event {event}")
            for key, kind in shape.items():
                self.assertIsInstance(event.get(key), kind, f"'{key}' of {event}")
            allowed = STATES.get(event["event"])
            self.assertTrue(allowed is None or event["state"] in allowed, event)
            if event["event"] == "progress":
                self.assertLessEqual(event["done"], max(event["size"], event["done"] if event["size"] == 0 else 0))
                self.assertTrue(0 <= event["percent"] <= 100, event)

    def test_shapes(self):
        """every event has its fields with their types, in order, and they agree with each other"""
        network = self.node()
        source = files.random_file(self.path("source", "events.bin"), 5_000_000)
        sharer = self.share(source, "--limit-up", "5M", bootstrap=network.address)
        started = time.time()
        fetch = self.fetched(sharer.info_hash, self.path("out.bin"), bootstrap=network.address)
        wall = time.time() - started
        sharer.event("peer")
        for process in (network, sharer, fetch):
            self.check(process)
        names = [e["event"] for e in fetch.events]
        self.assertEqual(names[0], "listening")
        self.assertEqual(names.count("torrent"), 1)
        self.assertEqual(names.count("done"), 1)
        self.assertLess(names.index("torrent"), names.index("done"))
        for key, value in (("info_hash", sharer.info_hash), ("name", "events.bin"), ("size", 5_000_000), ("files", 1)):
            self.assertEqual(fetch.last("torrent")[key], value)
        done = fetch.last("done")
        self.assertEqual((done["path"], done["size"], done["downloaded"]), (self.path("out.bin"), 5_000_000, 5_000_000))
        self.assertTrue(0 < done["seconds"] <= wall)
        self.assertEqual(fetch.peers("downloaded")[sharer.address], 5_000_000)
        self.assertTrue(any(e["state"] == "downloading" and e["down_bps"] > 0 for e in fetch.all("progress")))
        dones = [e["done"] for e in fetch.all("progress") if e["state"] == "downloading"]
        self.assertEqual(dones, sorted(dones))
        connected = next(e for e in fetch.all("peer") if e["state"] == "connected")
        self.assertEqual((connected["address"], connected["source"]), (sharer.address, "dht"))
        self.assertRegex(connected["client"], r"^shoal \d")

    def test_errors(self):
        """a failure is an error event whose exit is the exit code, and nothing but JSON is on standard output"""
        for arguments, code, word in ((["fetch", "magnet:?dn=x"], 2, "usage"), (["torrent", "show", self.empty_file], 5, "bad_data"),
                                      (["torrent", "show", self.path("none")], None, None)):
            process = self.run_shoal(*arguments, "--json")
            error = process.last("error")
            self.assertIsNotNone(error, process.log())
            self.assertEqual(error["exit"], process.code)
            if code is not None:
                self.assertEqual((process.code, error["code"]), (code, word))
            self.check(process)
