"""The key of this host: `shoal id show|new|qr`, its file, and that nothing else ever says what is in it."""
import base64
import fcntl
import hashlib
import os
import pty
import re
import select
import shutil
import signal
import stat
import struct
import subprocess
import termios
import time

from harness import bencode, files
from harness.case import Case, SHOAL
from harness.process import until

# The known answer of secure-peer.md, section 1.
SEED = bytes(range(32))
PUBLIC = bytes.fromhex("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8")
TEXT = "sp1-aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4j2ja"
NODE_ID = "48e8d374ec7d668a448801eff7cb38dc938c5b05"
CREATED = 1700000000
FORM = bencode.encode({"a": "ed25519", "c": CREATED, "k": PUBLIC, "s": SEED, "v": 1})
CODE_FORM = re.compile(rb"d1:a7:ed255191:ci[0-9]+e1:k32:.{32}1:s32:.{32}1:vi1ee", re.DOTALL)


def key_text(public):
    """The form that people hand on, computed without shoal."""
    check = hashlib.blake2b(public, digest_size=32).digest()[:2]
    return "sp1-" + base64.b32encode(public + check).decode().lower().rstrip("=")


class IdentityCase(Case):
    def setUp(self):
        super().setUp()
        self.state = self.new_folder("identity")
        self.file = os.path.join(self.state, "identity.key")

    def plant(self, data=FORM, mode=0o600):
        files.write(self.file, data)
        os.chmod(self.file, mode)

    def ask(self, *arguments, code=0, **options):
        process = self.run_shoal("id", *arguments, "--state", self.state, **options)
        self.assertEqual(process.code, code, process.log())
        return process

    def key(self):
        return self.ask("show").stdout().decode().strip()

    def contents(self):
        """Every file of the state folder, but for the empty one that is locked."""
        return {name: data for name, data in self.listing().items() if name != "lock"}

    def listing(self):
        found = {}
        for name in os.listdir(self.state):
            with open(os.path.join(self.state, name), "rb") as f:
                found[name] = f.read()
        return found

    def running(self, **options):
        return self.node(state=self.state, **options)


class ShowTests(IdentityCase):
    def test_known_answer(self):
        """show prints the known answer of the design: key, node ID, when it was made; and changes nothing"""
        self.plant()
        self.assertEqual(key_text(PUBLIC), TEXT)
        self.assertEqual(self.ask("show").stdout().decode(), TEXT + "\n")
        self.assertEqual(self.run_shoal("id", "--state", self.state).stdout().decode(), TEXT + "\n")
        identity, = self.ask("show", "--json").read_events()
        self.assertEqual(identity, {"event": "identity", "key": TEXT, "node_id": NODE_ID, "file": self.file,
                                    "created": CREATED})
        self.assertEqual(self.listing(), {"identity.key": FORM})

    def test_terminal(self):
        """on a terminal show says key, file, date and node ID"""
        self.plant()
        said = on_terminal(self, ["id", "show", "--state", self.state])
        for words in (TEXT, self.file, "2023-11-14 22:13:20 UTC", NODE_ID):
            self.assertIn(words, said)

    def test_none(self):
        """where there is no key show is exit 7, says what makes one, and makes none"""
        self.expect(self.ask("show", code=7), 7, "shoal id new")
        error, = self.ask("show", "--json", code=7).read_events()
        self.assertEqual((error["code"], error["exit"]), ("not_found", 7))
        self.assertEqual(os.listdir(self.state), [])

    def test_running(self):
        """while a node runs, show prints the key that it listens by, and new is refused"""
        node = self.running()
        listening = node.event("listening")
        self.assertEqual(listening["key"], self.key())
        self.assertEqual(listening["key_origin"], "kept")
        self.expect(self.ask("new", code=6), 6, "stop it first")
        self.expect(self.ask("new", "--replace", code=6), 6, "stop it first")
        self.assertEqual(listening["key"], self.key())
        node.signal(signal.SIGKILL)
        node.wait()
        self.expect(self.ask("new", code=6), 6, "exists")

    def test_second_node(self):
        """a second node on one state folder says that it goes by a key of its own, for this run only"""
        first = self.running().event("listening")
        second = self.running().event("listening")
        self.assertEqual(second["key_origin"], "folder_in_use")
        self.assertNotEqual(first["key"], second["key"])
        self.assertNotEqual(first["node_id"], second["node_id"])
        third = self.start("node", [SHOAL, "node", "--listen", "127.0.0.1:0", "--bootstrap-file", self.empty_file,
                                    "--state", self.state])
        until(lambda: "another shoal goes by" in third.stderr(), 10, "a word about the key", third.log)

    def test_usage(self):
        """wrong arguments are exit 2"""
        for arguments in (["show", "x"], ["new", "x"], ["qr", "x"], ["x"], ["show", "--replace"], ["new", "--seed"],
                          ["new", "--replace=yes"]):
            with self.subTest(arguments=arguments):
                self.expect(self.ask(*arguments, code=2), 2, "shoal help id")
        self.assertEqual(os.listdir(self.state), [])


class NewTests(IdentityCase):
    def test_new(self):
        """new makes a key in the form of the design, for its owner alone, in a folder that it makes"""
        self.state = self.path("home", "deep", "state")
        self.file = os.path.join(self.state, "identity.key")
        before = int(time.time())
        made = self.ask("new")
        self.expect(made, 0, "made a new key", self.file)
        with open(self.file, "rb") as f:
            data = f.read()
        self.assertRegex(data, CODE_FORM)
        form = bencode.decode(data)
        self.assertEqual(bencode.encode(form), data)
        self.assertEqual(made.stdout().decode(), key_text(form[b"k"]) + "\n")
        self.assertTrue(before <= form[b"c"] <= time.time())
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.state).st_mode), 0o700)
        self.assertEqual(os.stat(self.file).st_nlink, 1)
        self.assertEqual(self.running().event("listening")["key"], key_text(form[b"k"]))

    def test_umask(self):
        """whatever the umask, the file is its owner's alone"""
        for mask in ("000", "777", "277"):
            with self.subTest(mask=mask):
                state = self.new_folder(f"mask{mask}")
                made = self.start("id", ["sh", "-c", f'umask {mask}; exec "$0" id new --state "$1"', SHOAL, state])
                self.assertEqual(made.wait(), 0, made.log())
                self.assertEqual(stat.S_IMODE(os.stat(os.path.join(state, "identity.key")).st_mode), 0o600)

    def test_replace(self):
        """new refuses where there is a key; --replace puts that aside, and it can be put back"""
        self.plant()
        self.expect(self.ask("new", code=6), 6, "--replace")
        self.assertEqual(self.contents(), {"identity.key": FORM})
        made, = self.ask("new", "--replace", "--json").read_events()
        aside = made["replaced"]
        self.assertRegex(os.path.basename(aside), r"^identity\.key\.\d{8}-\d{6}$")
        with open(aside, "rb") as f:
            self.assertEqual(f.read(), FORM)
        self.assertEqual(stat.S_IMODE(os.stat(aside).st_mode), 0o600)
        self.assertEqual(self.key(), made["key"])
        self.assertNotEqual(self.key(), TEXT)
        os.rename(aside, self.file)
        self.assertEqual(self.key(), TEXT)

    def test_last_node_id(self):
        """show does not take the node ID of another key's table for its own"""
        self.plant()
        # A table as a node leaves it, with an identifier that BEP 42 ties to 124.31.75.21, and its neighbour.
        for id, shown in (("0d1f7374ec7d668a448801eff7cb38dc938c5b05", True),
                          ("0d1f7374ec7d668a448801eff7cb38dc938c5b04", False)):
            table = b"SHOALDHT" + bytes([0, 2]) + bytes.fromhex(id) + bytes(20) + bytes([0, 0, 0, 0])
            files.write(os.path.join(self.state, "dht.nodes"), table + hashlib.sha1(table).digest())
            identity, = self.ask("show", "--json").read_events()
            self.assertEqual(identity.get("last_node_id"), id if shown else None)

    def test_many_at_once(self):
        """of many that make a key at once one wins, and all that show it show the same"""
        makers = [self.start("id", [SHOAL, "id", "new", "--state", self.state]) for _ in range(8)]
        for maker in makers:
            maker.wait()
        self.assertEqual(sorted(m.code for m in makers), [0] + [6] * 7, self.logs())
        winner, = (m for m in makers if m.code == 0)
        self.assertEqual(winner.stdout().decode().strip(), self.key())
        self.assertEqual(os.stat(self.file).st_nlink, 1)


class FaultTests(IdentityCase):
    def refused(self, *words):
        """Neither a node starts nor does a key show, and the folder is as it was."""
        before = {name: os.lstat(os.path.join(self.state, name)) for name in os.listdir(self.state) if "key" in name}
        for arguments in (["id", "show"], ["id", "qr"],
                          ["node", "--listen", "127.0.0.1:0", "--bootstrap-file", self.empty_file]):
            process = self.run_shoal(*arguments, "--state", self.state)
            self.expect(process, 6, *words)
            self.assertEqual(process.stdout(), b"")
        after = {name: os.lstat(os.path.join(self.state, name)) for name in os.listdir(self.state) if "key" in name}
        self.assertEqual([(n, s[:7], s.st_mtime_ns) for n, s in before.items()],
                         [(n, s[:7], s.st_mtime_ns) for n, s in after.items()])

    def test_mode(self):
        """a key that others can read is refused with the mode, and left as it is (N1)"""
        for mode in (0o644, 0o640, 0o604, 0o666):
            with self.subTest(mode=oct(mode)):
                self.plant(mode=mode)
                self.refused(f"identity.key is readable by others (mode 0{mode:o})")
                self.assertEqual(self.contents()["identity.key"], FORM)

    def test_symlink(self):
        """a key that is a symbolic link is refused, and so is one with a second name (N2)"""
        elsewhere = files.write(self.path("elsewhere"), FORM)
        os.chmod(elsewhere, 0o600)
        os.symlink(elsewhere, self.file)
        self.refused("is a symbolic link")
        os.unlink(self.file)
        os.link(elsewhere, self.file)
        self.refused("hard link")
        with open(elsewhere, "rb") as f:
            self.assertEqual(f.read(), FORM)

    def test_truncated(self):
        """a key of any other length is refused (N2)"""
        for count in (0, 1, 17, 60, len(FORM) - 1):
            with self.subTest(count=count):
                self.plant(FORM[:count])
                self.refused("truncated or not a key")
                self.assertEqual(self.contents()["identity.key"], FORM[:count])
        self.plant(FORM + b"\n")
        self.refused("truncated or not a key")

    def test_mismatch(self):
        """a public key that is not that of the seed is refused, and never made anew (N2)"""
        for index in (0, 31):
            public = bytearray(PUBLIC)
            public[index] ^= 1
            data = FORM.replace(PUBLIC, bytes(public))
            self.plant(data)
            self.refused("not that of its seed")
            self.assertEqual(self.contents()["identity.key"], data)

    def test_folder(self):
        """a folder that others can write into is refused"""
        self.plant()
        os.chmod(self.state, 0o777)
        self.refused("others can write into")
        os.chmod(self.state, 0o700)
        self.assertEqual(self.key(), TEXT)

    def test_way_out(self):
        """what is refused can be put aside with --replace, whatever it is"""
        self.plant(b"junk")
        self.ask("new", "--replace")
        self.assertRegex(self.contents()["identity.key"], CODE_FORM)
        os.unlink(self.file)
        os.symlink("/etc/passwd", self.file)
        time.sleep(1.1)  # The names of what is put aside differ by the second.
        self.ask("new", "--replace")
        self.assertRegex(self.contents()["identity.key"], CODE_FORM)


class CrashTests(IdentityCase):
    KILLS = 60

    def test_kill(self):
        """killed at any moment while a key is made, shoal leaves a complete file or none (N3)"""
        seen = {"none": 0, "whole": 0, "unfinished": 0}
        started = time.monotonic()
        self.ask("new")
        usual = time.monotonic() - started
        for attempt in range(self.KILLS):
            state = self.new_folder("kill", str(attempt))
            seen[self.killed(state, attempt, usual)] += 1
        # The kills were spread over the making of the file, not all before or all behind it.
        self.assertGreater(seen["none"] + seen["unfinished"], 0, seen)
        self.assertGreater(seen["whole"], 0, seen)

    def killed(self, state, attempt, usual):
        """One kill: by the clock, or as soon as a file appears and some microseconds later."""
        final, unfinished = os.path.join(state, "identity.key"), os.path.join(state, "identity.key.new")
        child = subprocess.Popen([SHOAL, "id", "new", "--state", state], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        self.addCleanup(child.wait)
        deadline = time.monotonic() + (usual * attempt / 20 if attempt < 20 else 5)
        while time.monotonic() < deadline and child.poll() is None:
            if attempt >= 20 and (os.path.exists(unfinished) or os.path.exists(final)):
                pause = time.monotonic() + (attempt - 20) * 20e-6
                while time.monotonic() < pause:
                    pass
                break
        child.kill()
        child.wait()
        names = set(os.listdir(state)) if os.path.isdir(state) else set()
        self.assertLessEqual(names, {"identity.key", "identity.key.new", "lock"})
        if "identity.key" in names:
            with open(final, "rb") as f:
                self.assertRegex(f.read(), CODE_FORM)
        # Whatever was left, the next one shows the key, or makes one.
        shown = self.run_shoal("id", "show", "--state", state)
        self.assertEqual(shown.code, 0 if "identity.key" in names else 7, shown.log())
        if shown.code == 7:
            self.assertEqual(self.run_shoal("id", "new", "--state", state).code, 0)
        else:
            # A node cleans up behind the killed one, and goes by the key that it had finished.
            self.expect(self.run_shoal("id", "new", "--state", state), 6, "exists")
            self.assertEqual(self.run_shoal("id", "show", "--state", state).stdout(), shown.stdout())
        self.assertEqual(os.stat(final).st_nlink, 1)
        self.assertFalse(os.path.exists(unfinished))
        return "whole" if shown.code == 0 else "unfinished" if "identity.key.new" in names else "none"


def on_terminal(case, arguments, columns=100):
    """What a program writes to a terminal."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as screen:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        process = case.start(arguments[0], [SHOAL, *arguments], pty=theirs)
        os.close(theirs)
        written = b""
        while select.select([screen], [], [], 10)[0]:
            try:
                data = screen.read(65536)
            except OSError:
                break
            if not data:
                break
            written += data
        process.wait()
        return written.decode().replace("\r\n", "\n")


class QRTests(IdentityCase):
    def setUp(self):
        super().setUp()
        if shutil.which("zbarimg") is None:
            self.skipTest("there is no zbarimg: apt install zbar-tools")
        self.plant()

    def decoded(self, rows):
        """What zbar reads in rows of modules, True for dark ones."""
        path, scale = self.path("code.pgm"), 6
        pixels = b"".join(bytes(0 if dark else 255 for dark in row for _ in range(scale)) * scale for row in rows)
        header = b"P5 %d %d 255\n" % (len(rows[0]) * scale, len(rows) * scale)
        files.write(path, header + pixels)
        read = subprocess.run(["zbarimg", "--quiet", "--raw", "--nodbus", path], capture_output=True, check=False)
        return read.stdout.decode().strip()

    def rows(self, lines, drawn):
        """Two rows of modules for each line of half blocks; `drawn` is what a block stands for."""
        rows = []
        for line in lines:
            rows.append([(c in "█▀") == drawn for c in line])
            rows.append([(c in "█▄") == drawn for c in line])
        return rows

    def test_pipe(self):
        """a camera reads the key from the code, drawn in light blocks for a dark ground"""
        lines = self.ask("qr").stdout().decode().splitlines()
        self.assertEqual({len(line) for line in lines}, {41})
        self.assertEqual(self.decoded(self.rows(lines, drawn=False)), TEXT)

    def test_terminal(self):
        """on a terminal the code has its own colours, and the key is written under it"""
        said = on_terminal(self, ["id", "qr", "--state", self.state]).splitlines()
        coloured = re.compile("^\x1b\\[38;5;16;48;5;231m([█▀▄ ]{41})\x1b\\[0m$")
        lines = [match[1] for match in map(coloured.match, said) if match]
        self.assertEqual(len(lines), 21, said)
        self.assertEqual(self.decoded(self.rows(lines, drawn=True)), TEXT)
        self.assertIn(TEXT, said)

    def test_narrow(self):
        """a terminal in which the lines would wrap is told so"""
        said = on_terminal(self, ["id", "qr", "--state", self.state], columns=40)
        self.assertIn("41 columns", said)
        self.assertNotIn("█", said)

    def test_json(self):
        """with --json the key is text"""
        identity, = self.ask("qr", "--json").read_events()
        self.assertEqual(identity["key"], TEXT)
