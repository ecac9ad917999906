"""Sharing and fetching: sizes, shapes, and what a fetch can be told."""
import os

from harness import dht, files
from harness.case import Case
from harness.peer import Seeder
from harness.runner import alone, long
from harness.torrent import Torrent


class SizeTests(Case):
    def test_sizes(self):
        """sizes 0, 1, 16 KiB - 1, 16 KiB, 16 KiB + 1 and a multiple of the piece arrive"""
        network = self.node().address
        sizes = [0, 1, 16383, 16384, 16385, 8 * 16384]
        sharers = []
        for size in sizes:
            source = files.random_file(self.path("source", f"{size}.bin"), size, seed=size)
            sharers.append((source, self.share(source, "--piece-length", "16K", bootstrap=network)))
        for source, sharer in sharers:
            size = os.path.getsize(source)
            self.assertEqual(sharer.torrent["size"], size)
            self.assertEqual(sharer.torrent["pieces"], -(-size // 16384))
            output = self.path("output", f"got-{size}")
            with self.subTest(size=size):
                self.new_folder("output")
                self.fetched(sharer.info_hash, output, bootstrap=network)
                self.same(source, output)

    @alone
    def test_sparse_5_gib(self):
        """a sparse file of 5 GiB arrives, and stays sparse on both sides"""
        network = self.node().address
        source = self.path("source.img")
        marks = {0: b"start", (4 << 30) - 3: b"across 4 GiB", (5 << 30) - 3: b"end"}
        with open(source, "wb") as f:
            for offset, text in marks.items():
                f.seek(offset)
                f.write(text)
        sharer = self.share(source, bootstrap=network, seconds=60)
        output = self.path("output.img")
        self.fetched(sharer.info_hash, output, bootstrap=network, seconds=120)
        self.assertEqual(os.path.getsize(output), os.path.getsize(source))
        self.assert_same_data(source, output)
        for path in (source, output):
            self.assertLess(os.stat(path).st_blocks * 512, 1 << 30, f"{path} is not sparse")

    def assert_same_data(self, ours, theirs):
        """Compares large files without making either dense."""
        chunk = 16 << 20
        with open(ours, "rb") as a, open(theirs, "rb") as b:
            while True:
                x, y = a.read(chunk), b.read(chunk)
                self.assertTrue(x == y, f"differs before offset {a.tell()}")
                if not x:
                    return

    @long
    def test_ten_thousand_files(self):
        """a folder of 10 000 small files arrives"""
        network = self.node().address
        source = self.path("source", "many")
        for number in range(10_000):
            files.write(os.path.join(source, f"{number % 100:02}", f"{number}.txt"), b"%d\n" % number)
        sharer = self.share(source, bootstrap=network)
        self.assertEqual(sharer.torrent["files"], 10_000)
        self.fetched(sharer.info_hash, self.new_folder("output"), bootstrap=network, seconds=60)
        self.same(source, self.path("output", "many"))

    def test_folder(self):
        """a folder with nested folders, an empty file, a one-byte file and names in UTF-8 arrives"""
        network = self.node().address
        source = files.sample_folder(self.path("source", "Ordner № 1"))
        sharer = self.share(source, bootstrap=network)
        self.assertEqual(sharer.torrent["name"], "Ordner № 1")
        fetch = self.fetched(sharer.info_hash, self.new_folder("output"), bootstrap=network)
        self.assertEqual(fetch.last("done")["path"], self.path("output", "Ordner № 1"))
        self.same(source, self.path("output", "Ordner № 1"))

    def test_several_paths(self):
        """several paths become one torrent"""
        network = self.node().address
        one = files.write(self.path("source", "one.txt"), b"one")
        two = files.sample_folder(self.path("source", "two"))
        sharer = self.share([one, two], "--name", "both", bootstrap=network)
        self.fetched(sharer.info_hash, self.new_folder("output"), bootstrap=network)
        self.same(one, self.path("output", "both", "one.txt"))
        self.same(two, self.path("output", "both", "two"))


class SwarmTests(Case):
    def test_halves(self):
        """two nodes with different halves complete each other, and a third completes from both"""
        network = self.node().address
        size, piece = 4 << 20, 65536
        source = files.random_file(self.path("source", "halves.bin"), size)
        torrent_file = self.path("halves.torrent")
        made = self.run_shoal("torrent", "create", source, "-o", torrent_file, "--piece-length", "64K")
        self.assertEqual(made.code, 0, made.log())
        with open(source, "rb") as f:
            data = f.read()
        first, second = self.path("first.bin"), self.path("second.bin")
        for path, parity in ((first, 0), (second, 1)):
            with open(path, "wb") as f:
                f.truncate(size)
                for index in range(parity, size // piece, 2):
                    f.seek(index * piece)
                    f.write(data[index * piece:(index + 1) * piece])
        holders = [self.fetch(torrent_file, path, "--seed", bootstrap=network) for path in (first, second)]
        third = self.fetched(Torrent.read(torrent_file).hex, self.path("third.bin"), bootstrap=network)
        self.same(source, self.path("third.bin"))
        # The end-game asks two peers for the last blocks; in so small a file that is a visible part.
        self.assertLess(third.last("done")["downloaded"], size * 1.25)
        for holder, path in zip(holders, (first, second)):
            done = holder.event("done")
            # Up to a quarter of the requests in flight, 32 blocks of these 128, may come twice at the end; what it had would be as much again.
            self.assertLess(done["downloaded"], size // 2 * 1.5, "it fetched what it already had")
            self.same(source, path)

    @alone
    def test_four_sharers(self):
        """of four complete sharers each carries at least a tenth"""
        network = self.node().address
        source = files.random_file(self.path("source", "four.bin"), 128 << 20)
        sharers = [self.share(source, bootstrap=network) for _ in range(4)]
        info_hash = sharers[0].info_hash
        self.assertEqual({s.info_hash for s in sharers}, {info_hash})
        self.known_peers(network, info_hash, 4)
        fetch = self.fetched(info_hash, self.path("output.bin"), bootstrap=network)
        self.same(source, self.path("output.bin"))
        given = fetch.peers("downloaded")
        for sharer in sharers:
            self.assertGreaterEqual(given.get(sharer.address, 0), (128 << 20) // 10, f"shares: {given}")
        self.assertGreaterEqual(sum(given.values()), 128 << 20)
        self.assertGreaterEqual(sum(fetch.peers("pieces").values()), fetch.event("torrent")["pieces"])

    def test_becomes_a_source(self):
        """a fetch with --seed serves others when the first sharer is gone"""
        network = self.node().address
        source = files.random_file(self.path("source", "relay.bin"), 1 << 20)
        sharer = self.share(source, bootstrap=network)
        relay = self.listening(self.fetch(sharer.info_hash, self.path("relay.bin"), "--seed", bootstrap=network))
        relay.event("done")
        sharer.stop()
        self.assertIsNone(relay.code)
        fetch = self.fetched(sharer.info_hash, self.path("output.bin"), bootstrap=network)
        self.same(source, self.path("output.bin"))
        self.assertGreater(fetch.peers("downloaded").get(relay.address, 0), 0)


class SourceTests(Case):
    """What WHAT can be."""

    def setUp(self):
        super().setUp()
        self.source = files.random_file(self.path("source", "what.bin"), 300_000)

    def test_forms(self):
        """bare hex and base32, magnet links in both with dn, tr and xl, and a .torrent all fetch the same"""
        network = self.node().address
        torrent_file = self.path("what.torrent")
        sharer = self.share(self.source, "--save-torrent", torrent_file, bootstrap=network)
        torrent = Torrent.read(torrent_file)
        self.assertEqual(torrent.hex, sharer.info_hash)
        forms = [
            torrent.hex, torrent.hex.upper(), torrent.base32, torrent.base32.lower(), torrent.magnet, sharer.torrent["magnet"],
            f"magnet:?xt=urn:btih:{torrent.base32}&dn=a%20name+of+it",
            f"magnet:?dn=x&xl=300000&tr=udp%3A%2F%2F127.0.0.1%3A9%2Fannounce&xt=urn:btih:{torrent.hex}&xs=ignored&so=0",
            torrent_file,
        ]
        self.new_folder("output")
        running = []
        for number, form in enumerate(forms):
            output = self.path("output", f"{number}.bin")
            running.append((form, output, self.fetch(form, output, bootstrap=network)))
        for form, output, fetch in running:
            with self.subTest(form=form):
                self.assertEqual(fetch.wait(), 0, fetch.log())
                self.same(self.source, output)

    def test_direct_peer(self):
        """x.pe in a magnet link and --peer reach a peer that no DHT knows"""
        with open(self.source, "rb") as f:
            torrent = Torrent.of("what.bin", f.read())
        seeder = self.speaker(Seeder, torrent)
        output = self.path("by-magnet.bin")
        self.fetched(f"{torrent.magnet}&x.pe={seeder.text}", output)
        self.same(self.source, output)
        output = self.path("by-option.bin")
        self.fetched(torrent.hex, output, "--peer", seeder.text)
        self.same(self.source, output)

    def test_so(self):
        """so= in a magnet link selects files"""
        network = self.node().address
        folder = self.path("source", "three")
        for name in ("a", "b", "c"):
            files.random_file(os.path.join(folder, name), 50_000, seed=name)
        sharer = self.share(folder, "--piece-length", "16K", bootstrap=network)
        fetch = self.fetched(f"magnet:?xt=urn:btih:{sharer.info_hash}&so=1", self.new_folder("output"), bootstrap=network)
        self.same(os.path.join(folder, "b"), self.path("output", "three", "b"))
        self.assertLess(fetch.last("done")["downloaded"], 150_000)

    def test_private(self):
        """a private torrent stays out of the DHT, and still travels to a peer that is named"""
        network = self.node().address
        torrent_file = self.path("private.torrent")
        sharer = self.share(self.source, "--private", "--save-torrent", torrent_file, bootstrap=network)
        self.fetched(torrent_file, self.path("output.bin"), "--peer", sharer.address, bootstrap=network)
        self.same(self.source, self.path("output.bin"))
        asker = self.speaker(dht.Node)
        self.assertEqual(asker.peers(dht.parse(network), bytes.fromhex(sharer.info_hash))[0], [])

    def test_share_existing_torrent(self):
        """share --torrent serves the data of a torrent that another program made"""
        network = self.node().address
        with open(self.source, "rb") as f:
            torrent = Torrent.of("what.bin", f.read(), piece_length=32768, source="elsewhere")
        torrent_file = torrent.save(self.path("theirs.torrent"))
        sharer = self.share(self.source, "--torrent", torrent_file, bootstrap=network)
        self.assertEqual(sharer.info_hash, torrent.hex)
        self.fetched(torrent.hex, self.path("output.bin"), bootstrap=network)
        self.same(self.source, self.path("output.bin"))

    def test_share_changed_data(self):
        """share --torrent refuses data that is not the torrent's, with exit 5, and says how much is wrong"""
        with open(self.source, "rb") as f:
            torrent_file = Torrent.of("what.bin", f.read()).save(self.path("theirs.torrent"))
        with open(self.source, "r+b") as f:
            f.write(b"changed")
        process = self.shoal("share", self.source, "--torrent", torrent_file, "--listen", "127.0.0.1:0",
                             "--bootstrap-file", self.empty_file)
        process.wait()
        self.expect(process, 5, "what.bin", "1 of 19")
