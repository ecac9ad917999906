"""Nodes of shoal among themselves: sessions by default, private swarms, captures, interruptions, limits."""
import os
import signal
import socket
import stat
import threading
import time

from harness import files, peer, records, sps
from harness.process import until
from harness.proxy import Proxy
from harness.runner import alone, long
from harness.secure import PIECE, SecureCase


class DefaultTests(SecureCase):
    def test_default(self):
        """two nodes that meet through the DHT talk SPS/1, and both say so with the other's key"""
        network = self.node().address
        ours = self.sharer(bootstrap=network)
        fetch = self.fetch(self.torrent.hex, self.path("copy.bin"), "--seed", bootstrap=network)
        fetch.event("done", 30)
        self.same(self.source, self.path("copy.bin"))
        theirs = fetch.event("listening")["key"]
        for process, key in ((fetch, ours.key), (ours, theirs)):
            connected = until(lambda p=process: self.peer_events(p, state="connected", secure=True), 10, "a secure peer", self.logs)
            self.assertEqual({e["key"] for e in connected}, {key})

    def test_default_from_the_address_alone(self):
        """--peer HOST:PORT without a key ends in a secure session as well"""
        ours = self.sharer()
        fetch = self.fetch_from(ours.address)
        self.assert_fetched(fetch)
        secure = self.peer_events(fetch, ours.address, secure=True, state="connected")
        self.assertEqual([e["key"] for e in secure], [ours.key])

    def test_require_both(self):
        """both require secure sessions, and the file arrives"""
        ours = self.sharer("--secure", "require")
        fetch = self.fetch_from(ours.address, args=["--secure", "require"])
        self.assert_fetched(fetch)
        self.assertEqual(self.peer_events(fetch, secure=False, state="connected"), [])

    def test_require_and_off(self):
        """one that requires secure sessions and one whose sessions are off do not come together"""
        ours = self.sharer("--secure", "require")
        fetch = self.fetch_from(ours.address, args=["--secure", "off", "--timeout", "3"])
        fetch.wait(20)
        self.assertIn(fetch.code, (3, 4), fetch.log())

    def test_trust_both(self):
        """two nodes that trust each other's keys share, and a third gets nothing"""
        keys = {}
        for name in ("sharer", "friend"):
            self.run_shoal("id", "new", "--state", self.path(name))
            keys[name] = records.Identity.of_state(self.path(name)).text
        with open(self.path("trusted"), "w", encoding="ascii") as f:
            f.write("".join(f"{k}\n" for k in keys.values()))
        ours = self.sharer("--trust", self.path("trusted"), state=self.path("sharer"))
        friend = self.fetch_from(ours.address, args=["--trust", self.path("trusted")], state=self.path("friend"))
        self.assert_fetched(friend)
        third = self.fetch_from(ours.address, args=["--timeout", "4"], output="third.bin")
        third.wait(20)
        self.assertIn(third.code, (3, 4), third.log())

    def test_swarm_key(self):
        """a private swarm is for those who have its key: not for others with a key, nor without one"""
        made = self.run_shoal("id", "swarm-key", "new", self.path("swarm.key"))
        self.assertEqual(made.code, 0, made.log())
        status = os.stat(self.path("swarm.key"))
        self.assertEqual((status.st_size, stat.S_IMODE(status.st_mode)), (32, 0o600))
        with open(self.path("swarm.key"), "rb") as f:
            key = f.read()
        again = self.run_shoal("id", "swarm-key", "new", self.path("swarm.key"))
        self.assertEqual(again.code, 6, again.log())
        with open(self.path("swarm.key"), "rb") as f:
            self.assertEqual(f.read(), key, "the key was overwritten")
        self.assertEqual(self.run_shoal("id", "swarm-key", "new", self.path("other.key")).code, 0)
        network = self.node().address
        ours = self.sharer("--swarm-key", self.path("swarm.key"), bootstrap=network)
        member = self.fetch(self.torrent.hex, self.path("copy.bin"), "--swarm-key", self.path("swarm.key"), bootstrap=network)
        outsiders = [
            self.fetch(self.torrent.hex, self.path(f"{n}.bin"), "--timeout", "6", *args, bootstrap=network)
            for n, args in enumerate(([], ["--swarm-key", self.path("other.key")], ["--secure", "off"], ["--secure", "require"]))]
        self.assert_fetched(member)
        for outsider in outsiders:
            outsider.wait(30)
            self.assertIn(outsider.code, (3, 4), outsider.log())
            # Outsiders may meet each other, for the torrent is no secret; of the members they meet nobody.
            inside = {ours.address, member.event("listening")["address"]}
            self.assertEqual([e for e in self.peer_events(outsider, state="connected") if e["address"] in inside], [])
        self.assertEqual({e["key"] for e in self.peer_events(ours, state="connected")}, {member.event("listening")["key"]})

    def test_file_faults(self):
        """a trusted list or swarm key that cannot be used is refused, and a list with its line number"""
        files.write(self.path("list"), b"# friends\nsp1-nonsense\n")
        refused = self.shoal("share", self.source, "--no-dht", "--listen", "127.0.0.1:0", "--trust", self.path("list"))
        refused.wait(10)
        self.expect(refused, 2, "line 2|:2")
        files.write(self.path("short.key"), bytes(31))
        os.chmod(self.path("short.key"), 0o600)
        files.write(self.path("open.key"), bytes(range(32)))
        os.chmod(self.path("open.key"), 0o644)
        for name in ("short.key", "open.key", "missing.key"):
            with self.subTest(name):
                refused = self.shoal("share", self.source, "--no-dht", "--listen", "127.0.0.1:0", "--swarm-key", self.path(name))
                refused.wait(10)
                self.assertIn(refused.code, (2, 6, 7), refused.log())
                self.expect(refused, refused.code, name)


class CaptureTests(SecureCase):
    size = 2 << 20

    def test_capture(self):
        """what passes between two nodes holds neither the info-hash, nor the name, nor 16 bytes of the file anywhere"""
        ours = self.sharer()
        box = self.speaker(Proxy, ours.at)
        # By info-hash, so that the metadata passes as well; the key is part of the peer's name.
        fetch = self.fetch_from(f"{ours.key}@{box.text}", what=self.torrent.hex)
        self.assert_fetched(fetch)
        self.assertEqual(set(box.first_bytes), {b"\x14"})
        there, back = box.everything()
        self.assertGreater(len(back), self.size)
        windows = {self.data[at:at + 16] for at in range(0, len(self.data) - 15)}
        windows |= {self.torrent.info_bytes[at:at + 16] for at in range(0, len(self.torrent.info_bytes) - 15)}
        for name, said in (("to the sharer", there), ("to the fetch", back)):
            for what in (self.torrent.info_hash, self.torrent.hex.encode(), self.torrent.hex.upper().encode(),
                         self.torrent.base32.encode(), b"a-name-of-its-own", b"BitTorrent", b"ut_metadata",
                         records.key(ours.key), records.key(fetch.event("listening")["key"]), sps.swarm_tag(self.torrent.info_hash)):
                self.assertNotIn(what, said, name)
            leaked = next((at for at in range(len(said) - 15) if said[at:at + 16] in windows), None)
            self.assertIsNone(leaked, f"16 bytes of the file or its metadata are in what was said {name}, at {leaked}")

    def test_capture_of_plain(self):
        """the same capture of a plain transfer holds all of that: the test would see it"""
        ours = self.sharer("--secure", "off")
        box = self.speaker(Proxy, ours.at)
        self.assert_fetched(self.fetch_from(box.text, what=self.torrent.hex, args=["--secure", "off"]))
        there, back = box.everything()
        self.assertIn(self.torrent.info_hash, there)
        self.assertIn(self.data[5 * PIECE:5 * PIECE + 16], back)
        self.assertIn(b"a-name-of-its-own", back)


class InterruptionTests(SecureCase):
    size = 32 << 20

    def test_kill(self):
        """after SIGKILL in the middle of a secure transfer the same command continues, and fetches no verified piece twice"""
        ours = self.sharer("--limit-up", "16M", "--secure", "require")
        kept = self.path("kept")
        named = f"{ours.key}@{ours.address}"
        fetch = self.fetch_from(named, state=kept)
        fetch.event("progress", where=lambda e: e["state"] == "downloading" and e["done"] > self.size // 3)
        fetch.signal(signal.SIGKILL)
        fetch.wait()
        done = fetch.last("progress")["done"]
        again = self.fetch_from(named, state=kept)
        self.assert_fetched(again)
        self.assertLessEqual(again.last("done")["downloaded"], self.size - done)
        self.assertGreater(again.last("done")["downloaded"], 0, "it was not interrupted in the middle")

    def test_sharer_killed(self):
        """when the sharer is killed a session is truncated, and another sharer finishes it"""
        first = self.sharer("--limit-up", "8M")
        fetch = self.fetch_from(f"{first.key}@{first.address}", args=["--listen", "127.0.0.1:0"])
        fetch.event("progress", where=lambda e: e["state"] == "downloading" and e["done"] > self.size // 4)
        first.signal(signal.SIGKILL)
        first.wait()
        self.reason(fetch, "truncated")
        second = self.sharer("--listen", first.address, state=self.path("second"))
        self.assertNotEqual(second.key, first.key)
        # It proves another key than the pinned one: so nothing comes of it, and the pin is not forgotten.
        self.reason(fetch, "peer_identity_mismatch", 60)

    @long
    def test_many_records(self):
        """70 000 records each way pass the rekey on both sides (N35)"""
        ours = self.sharer()
        wire = self.unchoked(self.dial(ours))
        sent, received = wire.session.sent, wire.session.received
        for number in range(70_000):
            # One block of one byte: a record there, a record back.
            wire.message(peer.REQUEST, peer.request(1, number % PIECE, 1))
            self.assertEqual(self.said_by(wire, peer.PIECE)[8], self.data[PIECE + number % PIECE])
        self.assertGreaterEqual(wire.session.sent - sent, 70_000)
        self.assertGreaterEqual(wire.session.received - received, 70_000)


class LimitTests(SecureCase):
    """Limits per address, which loopback has only when it is asked for; addresses of 127/8 stand for hosts."""

    def limited(self, *args):
        return self.sharer(*args, env=self.local_limits(), host="127.0.0.1")

    def connect(self, ours, source):
        sock = socket.create_connection(ours.at, 5, source_address=(source, 0))
        self.addCleanup(sock.close)
        return sock

    def open_among(self, sockets, seconds=1.0):
        """How many of the connections the sharer has not hung up on."""
        deadline, still = time.monotonic() + seconds, list(sockets)
        while time.monotonic() < deadline:
            for sock in list(still):
                sock.setblocking(False)
                try:
                    if not sock.recv(4096):
                        still.remove(sock)
                except BlockingIOError:
                    continue
                except OSError:
                    still.remove(sock)
            time.sleep(0.05)
        return len(still)

    @alone
    def test_flood_of_hellos(self):
        """of 1000 hellos a second from one address 8 and 2 a second are answered, and another is served meanwhile (N37)"""
        ours = self.limited()
        hello = sps.Handshake(sps.Side(self.torrent.info_hash)).hello()
        answered, sent, stop = [], [0], threading.Event()

        def flood():
            while not stop.is_set():
                try:
                    sock = socket.create_connection(ours.at, 2, source_address=("127.0.9.9", 0))
                except OSError:
                    continue
                sock.settimeout(0.2)
                sent[0] += 1
                try:
                    sock.sendall(hello)
                    if sock.recv(3):
                        answered.append(time.monotonic())
                except OSError:
                    pass
                sock.close()
        begun = time.monotonic()
        threads = [threading.Thread(target=flood, daemon=True) for _ in range(8)]
        for thread in threads:
            thread.start()
        friend = self.fetch_from(f"{ours.key}@{ours.address}", host="127.0.5.5")
        self.assert_fetched(friend)
        until(lambda: sent[0] >= 3000, 60, "3000 hellos", self.logs)
        stop.set()
        for thread in threads:
            thread.join(5)
        seconds = time.monotonic() - begun
        self.assertLessEqual(len(answered), 8 + 2 * seconds + 1, f"{sent[0]} hellos in {seconds:.1f} s")
        self.assertGreater(len(answered), 0)
        # The address that flooded is refused; its neighbour is not.
        self.assert_serves(self.dial(ours, "127.0.9.10"))

    @alone
    def test_half_open(self):
        """of 200 silent connections 64 are kept at most, and a real peer is served within their time (N38)"""
        ours = self.limited()
        sockets = [self.connect(ours, f"127.3.{number}.1") for number in range(200)]
        self.assert_serves(self.dial(ours, "127.0.5.5"))
        self.assertLessEqual(self.open_among(sockets), 64)

    def test_half_open_of_a_prefix(self):
        """of the silent connections from one /24 four are kept at most, and a real peer of that /24 is served"""
        ours = self.limited()
        sockets = [self.connect(ours, f"127.4.4.{number}") for number in range(1, 21)]
        self.assertLessEqual(self.open_among(sockets), 4)
        self.assert_serves(self.dial(ours, "127.0.5.5"))

    def test_connections_of_an_address(self):
        """an address has eight connections to us at most, plain and secure together"""
        ours = self.limited()
        wires = []
        for number in range(12):
            try:
                if number % 2:
                    wire = peer.Wire(self.connect(ours, "127.0.6.6"))
                    wire.handshake(self.torrent.info_hash)
                    wire.receive_handshake()
                else:
                    wire = self.dial(ours, "127.0.6.6")
                wires.append(wire)
            except peer.Closed:
                pass
        self.assertEqual(len(wires), 8)
        self.assert_serves(self.dial(ours, "127.0.6.7"))
        wires[0].drop()
        until(lambda: not isinstance(self.tried(ours, "127.0.6.6"), Exception), 20, "the place of one that left", self.logs, every=1)

    def tried(self, ours, source):
        try:
            return self.dial(ours, source)
        except (peer.Closed, ValueError) as error:
            return error

    def test_failed_handshakes(self):
        """an address whose handshakes failed five times is refused, and others are not"""
        ours = self.limited()
        for _ in range(5):
            side = sps.Side(self.torrent.info_hash)
            side.certificate = bytes(148)
            self.assert_refused(ours, "127.0.8.8", side=side)
        self.assertIsInstance(self.tried(ours, "127.0.8.8"), peer.Closed)
        sock = peer.Wire(self.connect(ours, "127.0.8.8"))
        self.assertTrue(sock.is_closed(4), "it is still taken for a stranger")
        self.assert_serves(self.dial(ours, "127.0.8.9"))
