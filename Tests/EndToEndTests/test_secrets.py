"""What nobody may learn from shoal: its private keys, in whatever it prints, writes or leaves in memory."""
import base64
import glob
import hashlib
import os
import re
import resource
import signal

from harness import bencode, files
from harness.case import Case, SHOAL
from harness.process import until


class SecretCase(Case):
    """A state folder whose private key is known to the test, and a publisher's key."""

    def setUp(self):
        super().setUp()
        self.state = self.new_folder("owner")
        self.run_shoal("id", "new", "--state", self.state)
        with open(os.path.join(self.state, "identity.key"), "rb") as f:
            identity = bencode.decode(f.read())
        self.public = identity[b"k"]
        self.secrets = {"seed": identity[b"s"], **expanded("identity", identity[b"s"])}

    def add_publisher(self, path):
        with open(path, encoding="ascii") as f:
            seed = bytes.fromhex(f.read().strip())
        self.secrets.update({"publisher's seed": seed, **expanded("publisher", seed)})

    def find(self, data, where):
        """Fails when `data` holds a secret, or half of one, in any form that a program would print it in."""
        for name, secret in self.secrets.items():
            for form, text in forms(secret):
                self.assertFalse(text in data, f"the {name} as {form} is in {where}")


def expanded(owner, seed):
    """What libsodium and we sign with: scalar and prefix (RFC 8032, 5.1.5)."""
    digest = bytearray(hashlib.sha512(seed).digest())
    digest[0] &= 0xf8
    digest[31] = digest[31] & 0x7f | 0x40
    return {f"{owner}'s scalar": bytes(digest[:32]), f"{owner}'s prefix": bytes(digest[32:])}


def words(key):
    """Bytes as the program keeps numbers: in words of the machine."""
    return b"".join(key[at:at + 8][::-1] for at in range(0, len(key), 8))


def forms(secret):
    """Every half of a secret, in every form that is usual."""
    for start in (0, 8, 16):
        half = secret[start:start + 16]
        yield f"bytes from {start}", half
        yield f"hexadecimal digits from {start}", half.hex().encode()
        yield f"HEXADECIMAL DIGITS from {start}", half.hex().upper().encode()
        # As Swift, and as Python, print an array and a bytes object.
        yield f"a list of numbers from {start}", ", ".join(map(str, half)).encode()
        yield f"escapes from {start}", "".join("\\x%02x" % b for b in half).encode()
    # 15 bytes are 20 digits of base 64 and 24 of base 32, with no bits left over.
    for start in (0, 15):
        part = secret[start:start + 15]
        yield f"base 64 from {start}", base64.b64encode(part)
        yield f"base 64 for URLs from {start}", base64.urlsafe_b64encode(part)
        yield f"base 32 from {start}", base64.b32encode(part)
        yield f"base 32 in lower case from {start}", base64.b32encode(part).lower()


class PrintedTests(SecretCase):
    def test_nothing_is_printed(self):
        """no private key is in any output, log or file but its own, with -v, with --json, and after errors (N53)"""
        first = self.node("-v", state=self.state)
        data = files.random_file(self.path("shared", "file.bin"), 3_000_000)
        publisher = self.path("publisher.key")
        sharer = self.share(data, "-v", "--update", publisher, bootstrap=first.address, state=self.path("sharer"))
        self.add_publisher(publisher)
        # The state folder is the same again and again, so that every program goes by the key that is looked for.
        first.stop()
        second = self.node("-v", state=self.state, bootstrap=sharer.address)
        self.known_peers(second.address, sharer.info_hash)
        second.stop()
        self.fetched(sharer.torrent["magnet"], self.path("out"), "-v", bootstrap=sharer.address, state=self.state)
        plain = self.start("fetch", [
            SHOAL, "fetch", sharer.info_hash, "-v", "-o", self.path("again"), "--listen", "127.0.0.1:0",
            "--bootstrap", sharer.address, "--state", self.state])
        self.assertEqual(plain.wait(30), 0, plain.log())
        self.questions(sharer, publisher)
        sharer.stop()
        self.errors()

        for process in self.processes:
            self.find(process.stdout(), f"what {process.name} printed")
            self.find(process.stderr().encode(), f"the log of {process.name}")
            self.find("\0".join(process.argv).encode(), f"the arguments of {process.name}")
        self.files_are_clean()

    def questions(self, sharer, publisher):
        """Every verb that has to do with keys, plain and with --json."""
        network = ["--bootstrap", sharer.address, "--listen", "127.0.0.1:0", "--timeout", "5"]
        for extra in ([], ["--json"], ["-v"]):
            for verb in (["id", "show"], ["id", "qr"], ["id", "new"]):
                self.run_shoal(*verb, *extra, "--state", self.state)
            for verb in (["put", "hello", "--key", publisher], ["have", sharer.info_hash], ["table"], ["stats"],
                         ["get-peers", sharer.info_hash]):
                process = self.run_shoal("dht", *verb, *extra, *network, "--state", self.state)
                self.assertEqual(process.code, 0, process.log())

    def errors(self):
        """Files with a key that are refused: the message must not quote them."""
        broken = self.new_folder("broken")
        with open(os.path.join(self.state, "identity.key"), "rb") as f:
            form = f.read()
        for data, mode in ((form[:-1], 0o600), (form.replace(self.public, bytes(32)), 0o600), (form, 0o644)):
            files.write(os.path.join(broken, "identity.key"), data)
            os.chmod(os.path.join(broken, "identity.key"), mode)
            for extra in ([], ["--json", "-v"]):
                for verb in (["id", "show"], ["node", "--bootstrap-file", self.empty_file]):
                    self.expect(self.run_shoal(*verb, *extra, "--state", broken), 6)
        os.unlink(os.path.join(broken, "identity.key"))
        for text in (self.secrets["publisher's seed"].hex() + "0", self.secrets["publisher's seed"].hex()[:-1]):
            os.chmod(files.write(self.path("bad.key"), text.encode()), 0o600)
            process = self.run_shoal("dht", "put", "x", "--key", self.path("bad.key"), "--state", broken,
                                     "--bootstrap-file", self.empty_file, "--listen", "127.0.0.1:0")
            self.expect(process, 5, "holds no key")
        os.unlink(self.path("bad.key"))

    def files_are_clean(self):
        """All that is on disk but the keys themselves, and that the search finds those."""
        found = []
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as f:
                    data = f.read()
                if name == "publisher.key" or path == os.path.join(self.state, "identity.key"):
                    found.append(name)
                    with self.assertRaises(AssertionError):
                        self.find(data, path)
                else:
                    self.find(data, path)
        self.assertEqual(sorted(found), ["identity.key", "publisher.key"])


class MemoryTests(SecretCase):
    def mappings(self, pid):
        """(start, end, permissions, flags) of each mapping, from /proc/PID/smaps."""
        found = []
        with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as f:
            for line in f:
                head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) ", line)
                if head:
                    found.append([int(head[1], 16), int(head[2], 16), head[3], set()])
                elif line.startswith("VmFlags:"):
                    found[-1][3] = set(line.split()[1:])
        return found

    def holding(self, pid, secret):
        """The mappings of a process that hold these bytes."""
        found = []
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for mapping in self.mappings(pid):
                if not mapping[2].startswith("r"):
                    continue
                try:
                    memory.seek(mapping[0])
                    data = memory.read(mapping[1] - mapping[0])
                except (OSError, ValueError):
                    continue  # What the kernel maps for itself cannot be read.
                if secret in data:
                    found.append(mapping)
        return found

    def sharer(self, **options):
        """A node that has signed by now: proofs of its key, and a record of what it shares."""
        first = self.node()
        data = files.random_file(self.path("shared.bin"), 100_000)
        sharer = self.share(data, "-v", bootstrap=first.address, state=self.state, **options)
        self.known_peers(first.address, sharer.info_hash)
        until(lambda: any(e.get("key") == sharer.event("listening")["key"] and e["verified"] for e in self.have(sharer)),
              30, "the record of what is shared", self.logs, every=1)
        return sharer

    def have(self, sharer):
        return self.run_shoal("dht", "have", sharer.info_hash, "--json", "--bootstrap", sharer.address, "--listen",
                              "127.0.0.1:0", "--state", self.path("asker")).all("have")

    def test_locked(self):
        """the private key is in no memory that a core dump has, and once more locked and read-only, nowhere else (N53)"""
        node = self.sharer()
        self.assertEqual(self.holding(node.pid, self.secrets["seed"]), [], "the seed is kept nowhere")
        for name in ("identity's scalar", "identity's prefix"):
            mappings = self.holding(node.pid, self.secrets[name])
            self.assertEqual(len(mappings), 1, f"{name}: {mappings}")
            _, _, permissions, flags = mappings[0]
            self.assertEqual(permissions, "r--p")
            self.assertTrue({"dd", "lo"} <= flags, flags)
        for name, secret in self.secrets.items():
            self.assertEqual(self.holding(node.pid, words(secret)), [], f"{name} in words")
        # The search finds what is not secret.
        self.assertNotEqual(self.holding(node.pid, words(self.public)), [])

    def test_without_locks(self):
        """where no memory may be locked the key is used all the same, and left out of core dumps (N53)"""
        if os.geteuid() == 0:
            # Root may lock as much as it likes: the program runs as somebody else.
            for path in (self.folder, self.state, self.path("home"), self.path("log")):
                os.makedirs(path, exist_ok=True)
                os.chmod(path, 0o711)
            os.chown(self.state, 65534, 65534)
            os.chmod(self.state, 0o700)
            os.chown(os.path.join(self.state, "identity.key"), 65534, 65534)
            for name in os.listdir(self.state):
                os.chown(os.path.join(self.state, name), 65534, 65534)
            lead = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"]
        else:
            lead = []
        node = self.listening(self.start("node", [
            "sh", "-c", 'ulimit -l 0 && exec "$@"', "sh", *lead, SHOAL, "node", "--json", "--listen", "127.0.0.1:0",
            "--bootstrap-file", self.empty_file, "--state", self.state]))
        mappings = self.holding(node.pid, self.secrets["identity's scalar"])
        self.assertEqual(len(mappings), 1, mappings)
        self.assertIn("dd", mappings[0][3])
        self.assertNotIn("lo", mappings[0][3])

    def test_core(self):
        """a core dump has the public key in it, and no private one (N53)"""
        with open("/proc/sys/kernel/core_pattern", encoding="utf-8") as f:
            pattern = f.read().strip()
        if pattern.startswith("|") or "/" in pattern:
            self.skipTest(f"core dumps go elsewhere here ({pattern}); the flags of memory are tested beside this")
        here = self.new_folder("core")
        # Its directory is where the dump goes, and its limit says how large that may be.
        node = self.sharer(cwd=here)
        _, most = resource.prlimit(node.pid, resource.RLIMIT_CORE)
        if most == 0:
            self.skipTest("core dumps are forbidden here (ulimit -Hc); the flags of memory are tested beside this")
        resource.prlimit(node.pid, resource.RLIMIT_CORE, (most, most))
        node.signal(signal.SIGABRT)
        node.wait()
        self.assertTrue(node.killed_by_signal)
        dumps = until(lambda: glob.glob(os.path.join(here, "*")), 10, "a core dump", node.log)
        with open(dumps[0], "rb") as f:
            core = f.read()
        self.assertTrue(words(self.public) in core, "the dump is not one of this program")
        for name, secret in self.secrets.items():
            for start in (0, 8, 16):
                half = secret[start:start + 16]
                self.assertFalse(half in core or words(half) in core, f"the {name} is in the core dump")
