"""Torrents made to harm: refused with exit 5 and a sentence, and nothing written outside."""
import hashlib
import os

from harness import bencode, files
from harness.case import Case
from harness.peer import Seeder
from harness.torrent import Torrent

GOOD = {"name": "good", "piece length": 16384, "length": 5, "pieces": hashlib.sha1(b"hello").digest()}


def info(**changes):
    return b"d4:info" + bencode.encode({**GOOD, **changes}) + b"e"


def folder(*entries, name="root", **changes):
    """A folder torrent of one-byte files with these paths."""
    data = b"x" * len(entries)
    whole = Torrent.of(name, data, files=[(path, 1) for path in entries])
    return Torrent({**whole.info, **changes}, data)


BROKEN = {
    "empty": b"",
    "no bencode": b"hello, world",
    "truncated": info()[:-20],
    "trailing bytes": info() + b"x",
    "nested 100 000 deep": b"d4:info" + b"l" * 100_000 + b"e" * 100_000 + b"e",
    "nested dictionaries": b"d1:a" * 100_000,
    "no info": b"d8:announce3:urle",
    "info is a list": b"d4:infolee",
    "string longer than the file": b"d4:infod4:name9999999999:x",
    "huge number": b"d4:infod6:lengthi99999999999999999999eee",
    "minus zero": b"d4:infod6:lengthi-0eee",
    "length too long for the pieces": info(length=1 << 30),
    "length too short for the pieces": info(length=0),
    "negative length": info(length=-5),
    "length is a string": info(length="5"),
    "piece length 0": info(**{"piece length": 0}),
    "piece length 3": info(**{"piece length": 3}),
    "piece length 2^40": info(**{"piece length": 1 << 40}),
    "negative piece length": info(**{"piece length": -16384}),
    "pieces of 19 bytes": info(pieces=b"x" * 19),
    "pieces missing": b"d4:info" + bencode.encode({k: v for k, v in GOOD.items() if k != "pieces"}) + b"e",
    "no length, no files": b"d4:info" + bencode.encode({k: v for k, v in GOOD.items() if k != "length"}) + b"e",
    "no files": folder(files=[]).file_bytes(),
    "totals overflow": folder(files=[{"path": ["a"], "length": (1 << 63) - 1}, {"path": ["b"], "length": (1 << 63) - 1}]).file_bytes(),
    "total over 2^60": folder(files=[{"path": ["a"], "length": 1 << 61}]).file_bytes(),
    "negative file": folder(files=[{"path": ["a"], "length": 10}, {"path": ["b"], "length": -8}]).file_bytes(),
}

UNSAFE = {
    "parent folder": folder(["..", "escaped"]),
    "parent folder inside": folder(["a", "..", "..", "..", "escaped"]),
    "slash": folder(["../escaped"]),
    "absolute": folder(["/tmp/escaped"]),
    "backslash": folder(["..\\escaped"]),
    "NUL": folder([b"a\0b"]),
    "control character": folder([b"a\x1bb"]),
    "dot": folder(["."]),
    "empty name": folder([""]),
    "empty path": folder([]),
    "300 bytes": folder(["n" * 300]),
    "too deep": folder(["d"] * 3000),
    "case twins": folder(["Read.me"], ["READ.ME"]),
    "NFC twins": folder(["é".encode()], ["e\u0301".encode()]),
    "same name twice": folder(["a"], ["a"]),
    "file as folder": folder(["a"], ["a", "b"]),
    "name is ..": folder(["a"], name=".."),
    "name with a slash": folder(["a"], name="../escaped"),
    "absolute name": Torrent.of("/tmp/escaped", b"x"),
    "empty name of the torrent": Torrent.of("", b"x"),
    "name with NUL": Torrent.of(b"a\0b", b"x"),
    "name of 300 bytes": Torrent.of("n" * 300, b"x"),
}


class HostileTorrentTests(Case):
    def snapshot(self):
        """Everything around the place where a torrent would be written, apart from our own logs and states."""
        return files.tree(self.path("playground"))

    def refused(self, name, data):
        torrent_file = files.write(self.path("playground", "in", "torrent.torrent"), data)
        output = self.new_folder("playground", "deep", "output")
        before = self.snapshot()
        commands = {
            "show": self.shoal("torrent", "show", torrent_file),
            "magnet": self.shoal("torrent", "magnet", torrent_file),
            "verify": self.shoal("torrent", "verify", torrent_file, output),
            "fetch": self.fetch(torrent_file, output, "--timeout", "3", "--no-dht"),
        }
        for verb, process in commands.items():
            with self.subTest(torrent=name, verb=verb):
                process.wait()
                self.expect(process, 5)
                self.assertLess(len(process.stderr()), 2000, "the sentence is a page")
        self.assertEqual(self.snapshot(), before)
        self.assertFalse(os.path.exists("/tmp/escaped"))

    def test_broken(self):
        """truncated, nested 100 000 deep, lying lengths, piece length 0 or 3, overflowing totals"""
        for name, data in BROKEN.items():
            self.refused(name, data)

    def test_unsafe_names(self):
        """names with .., /, NUL, 300 bytes, case twins and NFC twins"""
        for name, torrent in UNSAFE.items():
            self.refused(name, torrent.file_bytes())

    def test_large(self):
        """a .torrent over 10 MiB is refused"""
        self.refused("large", b"d7:comment11000000:" + b"x" * 11_000_000 + info()[1:])

    def test_unsafe_metadata(self):
        """unsafe names that arrive from a peer as metadata are refused the same way"""
        network = self.node().address
        before = None
        for name in ("parent folder", "slash", "absolute", "NUL", "case twins", "absolute name", "name is .."):
            torrent = UNSAFE[name]
            self.announced(self.speaker(Seeder, torrent), network)
            output = self.new_folder("playground", "deep", "output")
            before = before or self.snapshot()
            with self.subTest(torrent=name):
                fetch = self.fetch(torrent.hex, output, "--timeout", "5", bootstrap=network)
                fetch.wait()
                self.expect(fetch, 5)
                self.assertEqual(self.snapshot(), before)

    def test_strange_but_legal(self):
        """names that are odd but safe, foreign keys, and a piece length that is no power of two are accepted"""
        torrent = Torrent.of("odd … name ' \" $(x) *?", b"".join(b"%d" % n for n in range(9000)), piece_length=20480,
                             private=0, source="X", zzz={"k": [1, "two"]})
        seeder = self.speaker(Seeder, torrent)
        torrent_file = torrent.save(self.path("odd.torrent"))
        fetch = self.fetched(torrent_file, self.new_folder("output"), "--peer", seeder.text)
        with open(fetch.last("done")["path"], "rb") as f:
            self.assertEqual(f.read(), torrent.data)
