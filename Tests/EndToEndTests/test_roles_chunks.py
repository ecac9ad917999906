"""Chunk folders: partial holders complete each other, ours and old ones, over the documented lines."""
import hashlib
import os
import socket
import sys

from harness import files
from harness.case import ROOT, SHOAL, closed_port
from harness.process import until
from harness.tracker import TrackerCase

OLD = os.path.join(ROOT, "Tests", "harness", "old_chunk_client.py")
SIZE = 70_000


class ChunkTests(TrackerCase):
    def setUp(self):
        super().setUp()
        self.chunks = {number: os.urandom(SIZE + number) for number in range(1, 5)}
        self.text_port = closed_port(socket.SOCK_STREAM)
        self.node = self.tracker("--chunks", f"127.0.0.1:{self.text_port}", "--trace", self.path("tracker.log"))

    def chunk_folder(self, name, *numbers):
        folder = self.new_folder(name)
        for number in numbers:
            files.write(os.path.join(folder, f"chunk_{number}"), self.chunks[number])
        rows = "".join(f"{number},chunk_{number}\n" for number in numbers)
        files.write(os.path.join(folder, "local_chunks.txt"), f"{rows}4,LASTCHUNK".encode())
        return folder

    def ours(self, folder, name, *words):
        return self.start(name, [SHOAL, "chunks", "run", folder, "--listen", "127.0.0.1:0", "--name", name, "--tracker",
                                 self.node.url, "--json", *words])

    def old(self, folder, name, *words):
        port = closed_port(socket.SOCK_STREAM)
        return self.start(name, [sys.executable, OLD, "-folder", folder, "-transfer_port", port, "-name", name,
                                 "-tracker_port", self.text_port, *words])

    def complete(self, *folders):
        """All chunks lie there, byte for byte, and the list says so, its last line unchanged."""
        for folder in folders:
            until(lambda: open(os.path.join(folder, "local_chunks.txt")).read().count("\n") >= 5, 15, f"{folder} to be complete",
                  self.logs)
            rows = open(os.path.join(folder, "local_chunks.txt")).read().splitlines()
            self.assertEqual(rows[-1], "4,LASTCHUNK")
            self.assertEqual(sorted(rows[:-1]), [f"{n},chunk_{n}" for n in self.chunks])
            for number, data in self.chunks.items():
                self.assertEqual(files.read(os.path.join(folder, f"chunk_{number}")), data)

    def test_partial_holders(self):
        """three partial holders complete each other; logger.log has each request, location and connection"""
        folders = [self.chunk_folder("one", 1, 2), self.chunk_folder("two", 3), self.chunk_folder("three", 4)]
        log = self.path("logger.log")
        peers = [self.ours(folders[0], "client1", "--trace", log), self.ours(folders[1], "client2")]
        # As users of the first program type it.
        port = closed_port(socket.SOCK_STREAM)
        peers.append(self.start("client3", [
            SHOAL, "chunks", "run", "-folder", folders[2], "-transfer_port", str(port), "-name", "client3",
            "--tracker", self.node.url, "--json"]))
        for peer in peers:
            self.assertEqual(peer.event("complete")["have"], 4)
        self.complete(*folders)
        table = self.http(self.node, "GET", "/api/v1/chunks/default")[1]["chunks"]
        self.assertEqual([row["chunk"] for row in table], [1, 2, 3, 4])
        for peer in peers:
            peer.signal(2)
            self.assertEqual(peer.wait(), 130, peer.log())
        self.assertEqual(self.http(self.node, "GET", "/api/v1/chunks/default")[1], {"chunks": []})
        traced = open(log).read()
        for line in ("client1,LOCAL_CHUNKS,1,", "client1,WHERE_CHUNK,4\n", "client1,GET_CHUNK_FROM,4,", "client1,CONNECTED,",
                     "client1,REQUEST_CHUNK,4,127.0.0.1,"):
            self.assertIn(line, traced)

    def test_old_and_new(self):
        """an old client, which frames nothing, and ours complete each other through the text protocol"""
        for word in ("hash", "-nohash"):
            with self.subTest(word=word):
                old, new = self.chunk_folder(f"old{word}", 1, 2), self.chunk_folder(f"new{word}", 3, 4)
                one, two = self.old(old, "client1", word), self.ours(new, f"ours{word}")
                two.event("complete")
                until(lambda: b"complete" in one.stdout(), 15, "the old client to be complete", self.logs)
                self.complete(old, new)
        traced = open(self.path("tracker.log")).read()
        for word in ("LOCAL_CHUNKS,1,", "WHERE_CHUNK,3", "GET_CHUNK_FROM,3,", "CONNECTED"):
            self.assertIn(word, traced)

    def test_two_old_clients(self):
        """two old clients complete each other through our tracker alone"""
        one, two = self.chunk_folder("one", 1, 3), self.chunk_folder("two", 2, 4)
        clients = [self.old(one, "client1"), self.old(two, "client2", "-nohash")]
        for client in clients:
            until(lambda: b"complete" in client.stdout(), 15, "an old client to be complete", self.logs)
        self.complete(one, two)

    def test_liar(self):
        """a chunk of a liar is never stored, and comes from the next holder"""
        folder, honest = self.chunk_folder("a", 1, 2, 3), self.chunk_folder("b", 4)
        liar = self.new_folder("liar")
        files.write(os.path.join(liar, "chunk_4"), self.chunks[4][::-1])
        files.write(os.path.join(liar, "local_chunks.txt"), b"4,chunk_4\n4,LASTCHUNK")
        helper = self.ours(honest, "honest")
        helper.event("chunks")
        # The liar claims the right hash: it registers in the name of the data that it does not have.
        digest = hashlib.sha1(self.chunks[4]).hexdigest()
        port = closed_port(socket.SOCK_STREAM)
        liar_process = self.start("liar", [sys.executable, OLD, "-folder", liar, "-transfer_port", port, "-name", "liar",
                                           "-tracker_port", self.text_port, "-nohash"])
        with socket.create_connection(("127.0.0.1", self.text_port)) as claim:
            claim.sendall(f"LOCAL_CHUNKS,4,{digest},localhost,{port}\n".encode())
            client = self.ours(folder, "client")
            client.event("complete")
        self.complete(folder)
        self.assertIsNone(liar_process.code)

    def test_import_and_export(self):
        """a file is cut into a folder and joined again; what is incomplete or in the way is said"""
        data = os.urandom(300_000)
        files.write(self.path("film"), data)
        made = self.run_shoal("chunks", "import", self.path("cut"), self.path("film"), "--piece-length", "64K")
        self.assertEqual(made.code, 0, made.log())
        self.assertEqual(open(self.path("cut", "local_chunks.txt")).read().splitlines()[-1], "5,LASTCHUNK")
        joined = self.run_shoal("chunks", "export", self.path("cut"), "-o", self.path("again"))
        self.assertEqual(joined.code, 0, joined.log())
        self.assertEqual(files.read(self.path("again")), data)
        self.expect(self.run_shoal("chunks", "export", self.path("cut"), "-o", self.path("again")), 6, "exists")
        self.expect(self.run_shoal("chunks", "import", self.path("cut"), self.path("film")), 6, "exists")
        self.expect(self.run_shoal("chunks", "export", self.chunk_folder("part", 1)), 5, "lacks")
        files.write(os.path.join(self.new_folder("bad"), "local_chunks.txt"), b"1,../../etc/passwd\n1,LASTCHUNK")
        self.expect(self.run_shoal("chunks", "export", self.path("bad")), 5, "inside the folder")
        self.expect(self.run_shoal("chunks", "run", self.path("none"), "--tracker", self.node.url), 7, "does not exist")
