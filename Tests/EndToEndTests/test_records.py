"""Signed records of who holds which pieces: published, found, believed or not, and acted upon."""
import signal
import socket
import threading

from harness import bencode, dht, files, records
from harness.case import Case
from harness.process import until
from harness.sps import SecureSeeder
from harness.torrent import Torrent


class Bystander:
    """A host that somebody else's record names: it notes every packet and every connection, and says nothing."""

    def __init__(self, host="127.0.0.1"):
        self.listener = socket.create_server((host, 0))
        self.address = self.listener.getsockname()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(self.address)
        self.packets, self.connections = [], []
        threading.Thread(target=self._take_packets, daemon=True).start()
        threading.Thread(target=self._take_connections, daemon=True).start()

    def _take_packets(self):
        while True:
            try:
                self.packets.append(self.socket.recvfrom(65536)[0])
            except OSError:
                return

    def _take_connections(self):
        while True:
            try:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
            except OSError:
                return

    def close(self):
        for closing in (self.socket, self.listener):
            try:
                closing.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            closing.close()
        for connection in self.connections:
            connection.close()


class RecordCase(Case):
    """A network of one node of ours and one written in Python, and a file of 40 pieces."""

    def setUp(self):
        super().setUp()
        self.keeper = self.speaker(records.Node)
        self.first = self.node(bootstrap=self.keeper.text)
        self.data = files.bytes_from(11, 40 * 16384 - 5)
        self.source = files.write(self.path("source", "data"), self.data)

    def make(self, *args):
        made = self.run_shoal("torrent", "create", self.source, "-o", self.path("t.torrent"), "--piece-length", "16K", *args)
        self.assertEqual(made.code, 0, made.log())
        return Torrent.read(self.path("t.torrent"), self.data)

    def have(self, info_hash, *args, code=0):
        process = self.run_shoal("dht", "have", info_hash, "--json", "--state", self.path("ask"), "--listen", "127.0.0.1:0",
                                 "--bootstrap", self.first.address, *args, seconds=30)
        self.assertEqual(process.code, code, process.log())
        return [e for e in process.read_events() if e["event"] == "have" and e["source"] == "record"]

    def keep(self, identity, torrent, content, **options):
        """Puts a record into the Python node's hands."""
        entry = records.record(identity, torrent.info_hash, content, **options)
        self.keeper.records.setdefault(torrent.info_hash, []).append(entry)
        return entry


class PublishingTests(RecordCase):
    def test_published(self):
        """who shares publishes a record that everybody can check, signed by the key of its state folder"""
        torrent = self.make()
        sharer = self.share(self.source, "--torrent", self.path("t.torrent"), bootstrap=self.first.address,
                            state=self.path("sharer"))
        put, sender = until(lambda: self.keeper.put and self.keeper.put[0], 20, "a put_have", self.logs)
        content = bencode.encode(put[b"v"])
        self.assertEqual(put[b"info_hash"], torrent.info_hash)
        self.assertTrue(records.verify(put[b"k"], put[b"sig"], records.signed(torrent.info_hash, put[b"seq"], content)))
        self.assertLess(abs(put[b"seq"] - records.now()), 60_000)
        v = put[b"v"]
        self.assertEqual((v[b"c"], v[b"n"], v[b"h"], v[b"v"]), (40, 40, b"\x01", 1))
        self.assertEqual(v[b"p"], dht.parse(sharer.address)[1])
        self.assertEqual(sender[1], v[b"p"])
        shown = self.run_shoal("id", "show", "--json", "--state", self.path("sharer"))
        key = shown.read_events()[0]["key"]
        self.assertEqual(key, records.text(put[b"k"]))
        with open(self.path("sharer", "identity.key"), "rb") as file:
            self.assertIn(put[b"k"], file.read())

    def test_found(self):
        """dht have shows the record of a sharer, verified, at the address that proved its key"""
        torrent = self.make()
        sharer = self.share(self.source, "--torrent", self.path("t.torrent"), bootstrap=self.first.address)
        until(lambda: self.keeper.put, 20, "a put_have", self.logs)
        found = [e for e in self.have(torrent.hex) if e["address"] == sharer.address]
        self.assertEqual(len(found), 1, self.logs())
        have = found[0]
        self.assertEqual((have["pieces"], have["total"], have["seed"], have["verified"]), (40, 40, True, True))
        self.assertTrue(have["key"].startswith("sp1-"))
        self.assertLess(have["age_s"], 60)

    def test_stopping(self):
        """who stops says so: its last record lives a minute"""
        torrent = self.make()
        sharer = self.share(self.source, "--torrent", self.path("t.torrent"), bootstrap=self.first.address)
        until(lambda: self.keeper.put, 20, "a put_have", self.logs)
        sharer.signal(signal.SIGINT)
        sharer.wait(10)
        last = max((p for p, _ in self.keeper.put), key=lambda p: p[b"seq"])
        self.assertEqual(last[b"v"][b"t"], 60, self.keeper.put)
        self.assertEqual(last[b"info_hash"], torrent.info_hash)

    def test_private(self):
        """nothing is published of a private torrent, nor asked for (BEP 27)"""
        torrent = self.make("--private")
        sharer = self.share(self.source, "--torrent", self.path("t.torrent"), bootstrap=self.first.address)
        self.fetched(self.path("t.torrent"), self.path("copy"), "--peer", sharer.address, bootstrap=self.first.address)
        asked = [m for m, a, _ in self.keeper.queries if a.get(b"info_hash") == torrent.info_hash]
        self.assertEqual(asked, [])
        self.assertEqual(self.keeper.put, [])


class ReadingTests(RecordCase):
    def test_faults(self):
        """dht have names what is wrong with a record that cannot be believed"""
        torrent = self.make()
        port = 6881
        good = records.value(port, 40)
        wrong = {
            "signature": (good, dict(seq=records.now())),
            "expired": (good, dict(seq=records.now() - 5_000_000)),
            "from_the_future": (good, dict(seq=records.now() + 3_600_000)),
            "count": (records.value(port, 40, held=3), {}),
            "blob": (records.value(port, 40, blob=b"\x07"), {}),
            "field": (records.value(port, 40, t=1), {}),
        }
        keys = {}
        for reason, (content, options) in wrong.items():
            identity = records.Identity()
            entry = self.keep(identity, torrent, content, **options)
            if reason == "signature":
                entry["sig"] = bytes(64)
            keys[identity.text] = reason
        found = {e["key"]: e for e in self.have(torrent.hex)}
        self.assertEqual({k: (e["verified"], e["reason"]) for k, e in found.items()}, {k: (False, r) for k, r in keys.items()})

    def test_bystander(self):
        """a host that a record names, and that says nothing, gets a packet or two and no connection (N19)"""
        torrent = self.make()
        bystander = self.speaker(Bystander)
        claimed = records.value(bystander.address[1], 40, e=dht.compact(bystander.address))
        self.keep(records.Identity(), torrent, claimed)
        self.keep(records.Identity(), torrent, records.value(bystander.address[1], 40), source=bystander.address)
        source = self.share(self.source, "--torrent", self.path("t.torrent"), bootstrap=self.first.address)
        self.fetched(torrent.hex, self.path("copy"), bootstrap=self.first.address)
        self.have(torrent.hex)
        self.assertEqual(bystander.connections, [])
        self.assertLessEqual(len(bystander.packets), 6)
        self.assertTrue(all(len(p) < 400 for p in bystander.packets))
        self.assertIsNone(source.code)

    def test_liar(self):
        """a record that claims everything, of a peer that has nothing, costs a fetch little"""
        torrent = self.make()
        class Empty(SecureSeeder):
            def bitfield(self):
                return bytes(-(-self.torrent.piece_count // 8))
        liar = self.speaker(Empty, torrent)
        # The liar's DHT node proves the key at the very address of its peer, which proves it in a session too.
        node = self.speaker(records.Node, liar.address[0], liar.port, liar.identity)
        node.nodes[self.keeper.id] = self.keeper.address
        self.keep(node.identity, torrent, records.value(liar.port, 40, f=3), source=liar.address)
        self.share(self.source, "--torrent", self.path("t.torrent"), bootstrap=self.first.address)
        # Slowly, so that it is not over before the liar is met.
        done = self.fetched(torrent.hex, self.path("copy"), "--limit-down", "300K", bootstrap=self.first.address)
        self.same(self.source, self.path("copy"))
        events = done.read_events()
        self.assertTrue(any(e.get("reason") == "broken_record" and e["key"] == node.identity.text for e in events))


class ChoosingTests(RecordCase):
    def test_chosen(self):
        """fetch says which peer was chosen because of a record, by its key"""
        torrent = self.make()
        sharer = self.share(self.source, "--torrent", self.path("t.torrent"), bootstrap=self.first.address,
                            state=self.path("sharer"))
        until(lambda: self.keeper.put, 20, "a put_have", self.logs)
        key = self.run_shoal("id", "show", "--json", "--state", self.path("sharer")).read_events()[0]["key"]
        # Only the record leads to it: the node that knows its address from announces is not asked.
        put, _ = self.keeper.put[-1]
        entry = {"k": put[b"k"], "seq": put[b"seq"], "sig": put[b"sig"], "v": put[b"v"],
                 "a": dht.compact(dht.parse(sharer.address))}
        alone = self.speaker(records.Node)
        alone.records[torrent.info_hash] = [entry]
        process = self.fetched(self.path("t.torrent"), self.path("copy"), bootstrap=alone.text)
        peers = [e for e in process.read_events() if e["event"] == "peer" and e["address"] == sharer.address]
        self.assertTrue(any((e.get("chosen"), e["source"], e.get("key")) == ("record", "record", key) for e in peers), process.log())
        self.same(self.source, self.path("copy"))
        said = self.shoal("fetch", self.path("t.torrent"), "-v", "-o", self.path("again"), "--listen", "127.0.0.1:0",
                          "--bootstrap", alone.text)
        said.wait(30)
        self.assertIn(f"secure, known from record, chosen for its record, key {key}", said.stderr())
        # As long as nothing is known of the torrent everybody is worth a dial, and is dialled all the same.
        process = self.fetched(torrent.hex, self.path("third"), bootstrap=alone.text)
        self.same(self.source, self.path("third"))
