"""Options of fetch and share that change what travels, how fast, and where it goes."""
import os
import time

from harness import files
from harness.case import Case
from harness.peer import Seeder
from harness.runner import alone
from harness.torrent import Torrent


class SelectionTests(Case):
    def test_only(self):
        """--only takes the files that match and no more"""
        network = self.node().address
        folder = self.path("source", "album")
        for name in ("cover.jpg", "1.flac", "2.flac", "extras/booklet.pdf"):
            files.random_file(os.path.join(folder, name), 200_000, seed=name)
        sharer = self.share(folder, "--piece-length", "16K", bootstrap=network)
        fetch = self.fetched(sharer.info_hash, self.new_folder("output"), "--only", "*.flac", bootstrap=network)
        for name in ("1.flac", "2.flac"):
            self.same(os.path.join(folder, name), self.path("output", "album", name))
        self.assertLessEqual(fetch.last("done")["downloaded"], 400_000 + 4 * 16384)
        left_out = self.path("output", "album", "extras", "booklet.pdf")
        if os.path.exists(left_out):
            self.assertNotEqual(files.sha256(left_out), files.sha256(os.path.join(folder, "extras/booklet.pdf")))

    def test_only_then_all(self):
        """after --only, the same command without it fetches just the rest"""
        network = self.node().address
        folder = self.path("source", "album")
        for name in ("a.bin", "b.bin"):
            files.random_file(os.path.join(folder, name), 20 * 16384, seed=name)
        sharer = self.share(folder, "--piece-length", "16K", bootstrap=network)
        state = self.path("kept")
        self.fetched(sharer.info_hash, self.new_folder("output"), "--only", "a.bin", bootstrap=network, state=state)
        rest = self.fetched(sharer.info_hash, self.path("output"), bootstrap=network, state=state)
        self.same(folder, self.path("output", "album"))
        self.assertEqual(rest.last("done")["downloaded"], 20 * 16384)

    def test_only_matches_nothing(self):
        """--only that matches no file says so"""
        network = self.node().address
        source = files.random_file(self.path("source", "x.bin"), 1000)
        sharer = self.share(source, bootstrap=network)
        fetch = self.fetch(sharer.info_hash, self.new_folder("output"), "--only", "*.nothing", bootstrap=network)
        fetch.wait()
        self.assertIn(fetch.code, (2, 7), fetch.log())
        self.expect(fetch, fetch.code, "*.nothing|match")

    def test_sequential(self):
        """--sequential asks for the pieces in order"""
        torrent = Torrent.of("order.bin", files.bytes_from(3, 200 * 16384))
        seeder = self.speaker(Seeder, torrent)
        self.fetched(torrent.hex, self.path("output.bin"), "--sequential", "--peer", seeder.text)
        order = list(dict.fromkeys(index for index, _, _ in seeder.requests))
        self.assertEqual(order, list(range(200)))

    def test_stdout(self):
        """--stdout writes the file to standard output, and nothing else"""
        network = self.node().address
        source = files.random_file(self.path("source", "stream.bin"), 3_000_001)
        sharer = self.share(source, bootstrap=network)
        process = self.shoal("fetch", sharer.info_hash, "--stdout", "--listen", "127.0.0.1:0", "--bootstrap", network,
                             cwd=self.new_folder("elsewhere"))
        self.assertEqual(process.wait(), 0, process.log())
        self.same(source, process.stdout_path)

    def test_output_names(self):
        """-o NAME is the file's name; -o FOLDER and -o PATH/ are where it goes; the default is the current folder"""
        network = self.node().address
        source = files.random_file(self.path("source", "named.bin"), 1000)
        sharer = self.share(source, bootstrap=network)
        for given, expected in (("new-name", "new-name"), ("folder", "folder/named.bin"), ("fresh/", "fresh/named.bin")):
            with self.subTest(o=given):
                here = self.new_folder("here-" + given.strip("/"))
                os.makedirs(os.path.join(here, "folder"))
                self.fetched(sharer.info_hash, given, bootstrap=network, cwd=here)
                self.same(source, os.path.join(here, expected))
        here = self.new_folder("here-by-default")
        process = self.shoal("fetch", sharer.info_hash, "--listen", "127.0.0.1:0", "--bootstrap", network, cwd=here)
        self.assertEqual(process.wait(), 0, process.log())
        self.same(source, os.path.join(here, "named.bin"))


class RateTests(Case):
    size = 8 << 20

    def rated(self, share_options, fetch_options):
        """Seconds that 8 MiB take."""
        network = self.node().address
        source = files.random_file(self.path("source", "rate.bin"), self.size)
        sharer = self.share(source, *share_options, bootstrap=network)
        started = time.monotonic()
        self.fetched(sharer.info_hash, self.path("output.bin"), *fetch_options, bootstrap=network, seconds=60)
        self.same(source, self.path("output.bin"))
        return time.monotonic() - started

    @alone
    def test_limit_down(self):
        """--limit-down 2M makes 8 MiB take about four seconds"""
        seconds = self.rated([], ["--limit-down", "2M"])
        self.assertGreater(seconds, 2)
        self.assertLess(seconds, 12)

    @alone
    def test_limit_up(self):
        """--limit-up 2M makes 8 MiB take about four seconds"""
        seconds = self.rated(["--limit-up", "2M"], [])
        self.assertGreater(seconds, 2)
        self.assertLess(seconds, 12)
