"""Interrupted, damaged, full, read-only and occupied places."""
import os
import signal

from harness import files
from harness.case import Case
from harness.namespace import SmallDisk


class ResumeTests(Case):
    size, piece = 32 << 20, 262144

    def setUp(self):
        super().setUp()
        self.source = files.random_file(self.path("source", "resume.bin"), self.size)
        self.network = self.node().address
        self.output, self.kept = self.path("output.bin"), self.path("kept")

    def interrupted(self, number):
        """A fetch ended by a signal when about half is done; returns how much was reported as done."""
        sharer = self.share(self.source, "--piece-length", "256K", "--limit-up", "16M", bootstrap=self.network)
        fetch = self.fetch(sharer.info_hash, self.output, bootstrap=self.network, state=self.kept)
        fetch.event("progress", where=lambda e: e["state"] == "downloading" and e["done"] > self.size // 3)
        fetch.signal(number)
        fetch.wait()
        return sharer, fetch.last("progress")["done"]

    def test_kill(self):
        """after SIGKILL in the middle the same command continues and fetches no verified piece twice"""
        sharer, done = self.interrupted(signal.SIGKILL)
        again = self.fetched(sharer.info_hash, self.output, bootstrap=self.network, state=self.kept)
        self.same(self.source, self.output)
        self.assertLessEqual(again.last("done")["downloaded"], self.size - done)
        self.assertGreater(again.last("done")["downloaded"], 0, "it was not interrupted in the middle")

    def test_kill_and_lost_state(self):
        """after SIGKILL, and with the state folder gone, what is on disk is still used"""
        sharer, done = self.interrupted(signal.SIGKILL)
        again = self.fetched(sharer.info_hash, self.output, bootstrap=self.network, state=self.path("fresh"))
        self.same(self.source, self.output)
        self.assertLessEqual(again.last("done")["downloaded"], self.size - done)

    def test_terminate(self):
        """after SIGTERM the same command continues"""
        sharer, done = self.interrupted(signal.SIGTERM)
        again = self.fetched(sharer.info_hash, self.output, bootstrap=self.network, state=self.kept)
        self.same(self.source, self.output)
        self.assertLessEqual(again.last("done")["downloaded"], self.size - done)

    def test_present(self):
        """a fetch of what is there verifies it and exits 0 with nothing fetched, also when nobody is left"""
        sharer = self.share(self.source, bootstrap=self.network)
        self.fetched(sharer.info_hash, self.output, bootstrap=self.network, state=self.kept)
        again = self.fetched(sharer.info_hash, self.output, bootstrap=self.network, state=self.kept)
        done = again.last("done")
        self.assertEqual((done["downloaded"], done["verified"], done["size"]), (0, True, self.size))
        fresh = self.fetched(sharer.info_hash, self.output, bootstrap=self.network)
        self.assertEqual(fresh.last("done")["downloaded"], 0)

    def test_present_without_peers(self):
        """with the .torrent, a fetch of what is there needs nobody"""
        torrent_file = self.path("x.torrent")
        self.assertEqual(self.run_shoal("torrent", "create", self.source, "-o", torrent_file).code, 0)
        self.assertEqual(self.fetched(torrent_file, self.source).last("done")["downloaded"], 0)

    def test_damaged(self):
        """bytes corrupted on disk are found and only their pieces fetched again, with and without the old state"""
        sharer = self.share(self.source, "--piece-length", "256K", bootstrap=self.network)
        self.fetched(sharer.info_hash, self.output, bootstrap=self.network, state=self.kept)
        for name, state in (("kept", self.kept), ("fresh", self.path("fresh"))):
            with self.subTest(state=name):
                with open(self.output, "r+b") as f:
                    for offset in (5, 10 * self.piece + 77, self.size - 1):
                        f.seek(offset)
                        byte = f.read(1)
                        f.seek(offset)
                        f.write(bytes([byte[0] ^ 1]))
                again = self.fetched(sharer.info_hash, self.output, bootstrap=self.network, state=state)
                self.same(self.source, self.output)
                self.assertEqual(again.last("done")["downloaded"], 3 * self.piece)

    def test_deleted(self):
        """a file deleted meanwhile is fetched again, whatever the state says"""
        sharer = self.share(self.source, bootstrap=self.network)
        self.fetched(sharer.info_hash, self.output, bootstrap=self.network, state=self.kept)
        os.unlink(self.output)
        self.fetched(sharer.info_hash, self.output, bootstrap=self.network, state=self.kept)
        self.same(self.source, self.output)

    def test_corrupt_key(self):
        """an identity that cannot be read is refused with its name and the way out, and left as it is (N2)"""
        sharer, _ = self.interrupted(signal.SIGTERM)
        key = os.path.join(self.kept, "identity.key")
        files.write(key, b"garbage")
        refused = self.fetched(sharer.info_hash, self.output, bootstrap=self.network, state=self.kept, code=6)
        self.assertIn("identity.key is truncated or not a key of shoal", refused.stderr())
        with open(key, "rb") as kept:
            self.assertEqual(kept.read(), b"garbage")

    def test_corrupt_state(self):
        """a state folder full of garbage does not stop a fetch, nor lose data"""
        sharer, _ = self.interrupted(signal.SIGTERM)
        for at, _, names in os.walk(self.kept):
            for name in names:
                # A key that cannot be read is refused, and never made anew (N2): see the next test.
                if name != "identity.key":
                    files.write(os.path.join(at, name), files.bytes_from(name, 5000))
        self.fetched(sharer.info_hash, self.output, bootstrap=self.network, state=self.kept)
        self.same(self.source, self.output)


class PlaceTests(Case):
    def sharer(self, size=12 << 20):
        self.source = files.random_file(self.path("source", "place.bin"), size)
        self.network = self.node().address
        return self.share(self.source, bootstrap=self.network)

    def small_disk(self, size):
        disk = SmallDisk(self.path("disk"), size)
        self.addCleanup(disk.remove)
        return disk

    def test_full(self):
        """a full disk is exit 6 and said; after room is made the same command completes"""
        sharer, disk = self.sharer(), self.small_disk("6m")
        kept = self.path("kept")
        fetch = self.fetched(sharer.info_hash, disk.folder, bootstrap=self.network, state=kept, code=6)
        self.expect(fetch, 6, "full|space")
        self.assertEqual(fetch.last("error")["exit"], 6)
        disk.resize("64m")
        self.fetched(sharer.info_hash, disk.folder, bootstrap=self.network, state=kept)
        self.same(self.source, os.path.join(disk.folder, "place.bin"))

    def test_read_only(self):
        """a read-only folder is exit 6 and said; when it is writable the same command completes"""
        sharer, disk = self.sharer(100_000), self.small_disk("6m")
        disk.read_only()
        fetch = self.fetched(sharer.info_hash, disk.folder, bootstrap=self.network, code=6)
        self.expect(fetch, 6, "read-only|permission|write", os.path.basename(disk.folder))
        disk.read_only(False)
        self.fetched(sharer.info_hash, disk.folder, bootstrap=self.network)
        self.same(self.source, os.path.join(disk.folder, "place.bin"))

    def test_read_only_state(self):
        """a state folder that cannot be written is said, and the fetch either completes or is exit 6"""
        sharer, disk = self.sharer(100_000), self.small_disk("6m")
        disk.read_only()
        fetch = self.fetch(sharer.info_hash, self.path("output.bin"), bootstrap=self.network, state=os.path.join(disk.folder, "s"))
        self.assertIn(fetch.wait(), (0, 6), fetch.log())
        self.expect(fetch, fetch.code, "state|read-only")

    def test_missing_source(self):
        """sharing or reading what is not there is exit 6 or 7 and names it"""
        for arguments in (["share", self.path("not-there")], ["torrent", "show", self.path("not-there")],
                          ["torrent", "create", self.path("not-there")]):
            with self.subTest(arguments=arguments):
                process = self.run_shoal(*arguments)
                self.assertIn(process.code, (6, 7), process.log())
                self.expect(process, process.code, "not-there")

    def test_unrelated_file(self):
        """an unrelated file of that name is exit 6, named, and untouched"""
        sharer = self.sharer(100_000)
        for size in (10, 100_000, 500_000):
            with self.subTest(size=size):
                mine = files.random_file(self.path("output", "place.bin"), size, seed="mine")
                before = files.sha256(mine)
                fetch = self.fetched(sharer.info_hash, self.path("output"), bootstrap=self.network, code=6)
                self.expect(fetch, 6, "place.bin", "exist|already|other|different")
                self.assertEqual(files.sha256(mine), before)

    def test_folder_in_the_way(self):
        """a folder, or a file where a folder must go, is exit 6 and untouched"""
        sharer = self.sharer(100_000)
        inside = files.write(self.path("output", "place.bin", "precious"), b"keep me")
        fetch = self.fetched(sharer.info_hash, self.path("output"), bootstrap=self.network, code=6)
        self.expect(fetch, 6, "place.bin")
        self.assertEqual(files.sha256(inside), files.sha256(files.write(self.path("copy"), b"keep me")))
        folder = files.sample_folder(self.path("source", "tree"))
        second = self.share(folder, bootstrap=self.network)
        blocker = files.write(self.path("output2", "tree"), b"a file")
        fetch = self.fetched(second.info_hash, self.path("output2"), bootstrap=self.network, code=6)
        self.expect(fetch, 6, "tree")
        self.assertTrue(os.path.isfile(blocker))

    def test_symlink(self):
        """a symbolic link in the way is refused with exit 6, and its target untouched"""
        sharer = self.sharer(100_000)
        target = files.write(self.path("elsewhere", "target"), b"precious")
        os.symlink(target, os.path.join(self.new_folder("output"), "place.bin"))
        fetch = self.fetched(sharer.info_hash, self.path("output"), bootstrap=self.network, code=6)
        self.expect(fetch, 6, "link")
        with open(target, "rb") as f:
            self.assertEqual(f.read(), b"precious")

    def test_sharer_loses_its_data(self):
        """a sharer whose file is cut short meanwhile lives on, sends nothing wrong, and the fetch ends with 3"""
        sharer = self.sharer(4 << 20)
        os.truncate(self.source, 5)
        fetch = self.fetched(sharer.info_hash, self.path("output.bin"), "--timeout", "3", bootstrap=self.network, code=3)
        self.expect(fetch, 3)
        self.assertIsNone(sharer.code, sharer.log())
        self.assertEqual([e for e in fetch.all("peer") if e["state"] == "banned"], [])
