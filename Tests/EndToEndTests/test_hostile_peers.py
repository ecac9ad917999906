"""Peers that lie, shout or keep silent: the fetch completes from the honest one, and the sharer lives on."""
import os
import socket
import struct
import time

from harness import bencode, dht, files, peer
from harness.case import Case
from harness.process import until
from harness.torrent import Torrent

SIZE, PIECE = 100 * 16384 + 5, 32768


class WrongData(peer.Seeder):
    def block(self, index, begin, length):
        return bytes(255 - b for b in super().block(index, begin, length))


class WrongMetadata(peer.Seeder):
    def metadata_piece(self, index):
        return bytes(len(super().metadata_piece(index)))


class HugeMetadata(peer.Seeder):
    def metadata_size(self):
        return 1 << 31


class OtherMetadataSize(peer.Seeder):
    """Says another size in its data messages than in its handshake."""

    def metadata_piece(self, index):
        return super().metadata_piece(index) + b"d" * 5000


class RefusingMetadata(peer.Seeder):
    def extended(self, wire, kind, payload):
        if kind == 0:
            wire.note_extended_handshake(payload)
            return
        header = {"msg_type": 2, "piece": bencode.decode_prefix(payload)[0][b"piece"]}
        wire.message(peer.EXTENDED, bytes([wire.their_metadata_id]) + bencode.encode(header))


class Unasked(peer.Seeder):
    """Floods with blocks nobody asked for, of every piece."""

    def greet(self, wire):
        super().greet(wire)
        for index in range(self.torrent.piece_count):
            wire.message(peer.PIECE, struct.pack(">II", index, 0) + os.urandom(16384))
        wire.message(peer.PIECE, struct.pack(">II", 0xFFFFFFFF, 0xFFFFFFFF) + bytes(100))


class HugeMessage(peer.Seeder):
    def greet(self, wire):
        wire.handshake(self.torrent.info_hash)
        wire.send(struct.pack(">IB", 0x80000000, peer.PIECE) + bytes(100_000))


class LongBitfield(peer.Seeder):
    def bitfield(self):
        return super().bitfield() + b"\xff"


class SpareBits(peer.Seeder):
    def bitfield(self):
        return b"\xff" * len(super().bitfield())


class Mute(peer.Seeder):
    """Accepts and never says a word."""

    def _run(self, wire):
        if wire.is_closed(60):
            self.hung_up.set()


class Choking(peer.Seeder):
    """Has everything and never unchokes."""

    def serve(self, wire):
        while True:
            wire.next()


class Unresponsive(peer.Seeder):
    """Unchokes and then answers no request."""

    def answer_request(self, wire, index, begin, length):
        pass


class Garbage(peer.Seeder):
    def greet(self, wire):
        wire.send(os.urandom(4000))


class WrongInfoHash(peer.Seeder):
    def greet(self, wire):
        wire.handshake(os.urandom(20))
        wire.message(peer.BITFIELD, self.bitfield())


class BadExtensions(peer.Seeder):
    def greet(self, wire):
        wire.handshake(self.torrent.info_hash)
        wire.message(peer.EXTENDED, b"\0" + b"d1:a" * 100_000)


class HalfBlock(peer.Seeder):
    """Answers with blocks that are shorter than asked, at other offsets, and longer."""

    def answer_request(self, wire, index, begin, length):
        data = self.block(index, begin, length)
        for offset, part in ((begin, data[:-1]), (begin + 1, data[1:]), (begin, data + b"more")):
            wire.message(peer.PIECE, struct.pack(">II", index, offset) + part)


class Vanishing(peer.Seeder):
    """Hangs up in the middle of each block."""

    def answer_request(self, wire, index, begin, length):
        wire.send(struct.pack(">IBII", 9 + length, peer.PIECE, index, begin) + bytes(100))
        wire.close()


class FetcherTests(Case):
    """A hostile peer and an honest shoal that is a little slow, so that both are asked."""

    def setUp(self):
        super().setUp()
        self.source = files.random_file(self.path("source", "honest.bin"), SIZE, seed="honest")
        with open(self.source, "rb") as f:
            self.torrent = Torrent.of("honest.bin", f.read(), PIECE)
        self.torrent_file = self.torrent.save(self.path("honest.torrent"))

    def fetch_beside(self, *kinds, hang_up=False, what=None, seconds=40):
        """Fetches by info-hash with hostile peers named in the DHT before the honest one; returns process and peers."""
        network = self.node().address
        liars = [self.announced(self.speaker(kind, self.torrent), network) for kind in kinds]
        self.share(self.source, "--torrent", self.torrent_file, "--limit-up", "1M", bootstrap=network)
        self.known_peers(network, self.torrent.hex, len(liars) + 1)
        output = self.path("output.bin")
        fetch = self.fetched(what or self.torrent.hex, output, bootstrap=network, seconds=seconds)
        self.same(self.source, output)
        for liar in liars:
            self.assertGreater(liar.connections, 0, f"{type(liar).__name__} was never tried")
            if hang_up:
                self.assertTrue(liar.hung_up.wait(10), f"{type(liar).__name__} was not hung up on")
        return fetch, liars

    def test_wrong_data(self):
        """a peer that sends wrong data is banned, and the download completes from the honest one"""
        fetch, (liar,) = self.fetch_beside(WrongData, what=self.torrent_file, hang_up=True)
        banned = [e for e in fetch.all("peer") if e["state"] == "banned"]
        self.assertEqual([(e["address"], e["reason"]) for e in banned], [(liar.text, "bad_piece_data")])

    def test_wrong_data_from_three(self):
        """three peers with wrong data beside an honest one"""
        fetch, liars = self.fetch_beside(WrongData, WrongData, WrongData)
        banned = {e["address"] for e in fetch.all("peer") if e["state"] == "banned"}
        self.assertTrue(banned <= {liar.text for liar in liars}, "an honest peer was banned")
        self.assertTrue(banned)

    def test_only_liars(self):
        """a swarm of liars only ends with 3 after --timeout, and names the bans"""
        network = self.node().address
        liar = self.announced(self.speaker(WrongData, self.torrent), network)
        fetch = self.fetched(self.torrent.hex, self.path("output.bin"), "--timeout", "4", bootstrap=network, code=3)
        self.expect(fetch, 3, "banned|wrong data|lied|bad")
        self.assertIn(liar.text, [e["address"] for e in fetch.all("peer") if e["state"] == "banned"])

    def test_wrong_metadata(self):
        """wrong metadata is refused, and the right one comes from the honest peer"""
        self.fetch_beside(WrongMetadata)

    def test_metadata_sizes(self):
        """a metadata size of 2 GiB, one that changes, and a refusal do not stop a fetch"""
        self.fetch_beside(HugeMetadata, OtherMetadataSize, RefusingMetadata)

    def test_unasked_blocks(self):
        """blocks that nobody asked for are dropped and their sender hung up on"""
        self.fetch_beside(Unasked, what=self.torrent_file, hang_up=True)

    def test_huge_message(self):
        """a message length of 2 GiB closes that connection and no memory is taken for it"""
        self.fetch_beside(HugeMessage, hang_up=True)

    def test_bitfields(self):
        """bitfields that are too long or have spare bits set close their connections"""
        self.fetch_beside(LongBitfield, SpareBits, what=self.torrent_file, hang_up=True)

    def test_silence(self):
        """peers that say nothing, never unchoke or never answer do not hold a fetch up"""
        self.fetch_beside(Mute, Choking, Unresponsive, seconds=90)

    def test_garbage(self):
        """garbage, another torrent's handshake and deep extension dictionaries close their connections"""
        self.fetch_beside(Garbage, WrongInfoHash, BadExtensions, hang_up=True)

    def test_wrong_blocks(self):
        """blocks of the wrong length or offset, and a peer that vanishes inside a block, do no harm"""
        self.fetch_beside(HalfBlock, Vanishing, what=self.torrent_file, seconds=90)


class SharerTests(Case):
    """What strangers can say to a sharer."""

    def setUp(self):
        super().setUp()
        self.source = files.random_file(self.path("source", "shared.bin"), 10 * 16384)
        with open(self.source, "rb") as f:
            self.torrent = Torrent.of("shared.bin", f.read())
        self.network = self.node().address
        self.sharer = self.share(self.source, "--torrent", self.torrent.save(self.path("shared.torrent")), bootstrap=self.network)
        self.address = dht.parse(self.sharer.address)

    def dial(self):
        wire = peer.dial(self.address, self.torrent.info_hash)
        self.addCleanup(wire.close)
        return wire

    def unchoked(self):
        wire = self.dial()
        wire.message(peer.INTERESTED)
        while wire.next()[0] != peer.UNCHOKE:
            pass
        return wire

    def still_serves(self):
        self.assertIsNone(self.sharer.code, self.sharer.log())
        self.fetched(self.torrent.hex, self.path(f"output-{time.monotonic()}.bin"), bootstrap=self.network)

    def test_serves_a_plain_client(self):
        """a client in Python gets the metadata and every block"""
        wire = self.dial()
        wire.extended_handshake()
        wire.message(peer.INTERESTED)
        wire.message(peer.BITFIELD, bytes(2))
        metadata, blocks = None, {}
        while len(blocks) < self.torrent.piece_count or metadata is None:
            kind, payload = wire.next()
            if kind == peer.EXTENDED and payload[0] == 0:
                wire.note_extended_handshake(payload[1:])
                self.assertEqual(wire.metadata_size, len(self.torrent.info_bytes))
                wire.message(peer.EXTENDED, bytes([wire.their_metadata_id]) + bencode.encode({"msg_type": 0, "piece": 0}))
            elif kind == peer.EXTENDED and payload[0] == peer.METADATA_ID:
                _, end = bencode.decode_prefix(payload[1:])
                metadata = payload[1 + end:]
            elif kind == peer.UNCHOKE:
                for index in range(self.torrent.piece_count):
                    wire.message(peer.REQUEST, peer.request(index, 0, 16384))
            elif kind == peer.PIECE:
                blocks[struct.unpack(">I", payload[:4])[0]] = payload[8:]
        self.assertEqual(metadata, self.torrent.info_bytes)
        self.assertEqual(b"".join(blocks[i] for i in sorted(blocks)), self.torrent.data)

    def test_hostile_openings(self):
        """garbage, silence, half a handshake and an unknown info-hash are hung up on"""
        for name, opening in (("garbage", os.urandom(200)), ("http", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + bytes(60)),
                              ("unknown", b"\x13BitTorrent protocol" + bytes(8) + os.urandom(40))):
            with self.subTest(opening=name), socket.create_connection(self.address, 5) as s:
                wire = peer.Wire(s)
                wire.send(opening)
                self.assertTrue(wire.is_closed(10))
        self.still_serves()

    def test_silent_openings(self):
        """connections that never finish their handshake are hung up on within 15 s"""
        with socket.create_connection(self.address, 5) as silent, socket.create_connection(self.address, 5) as half:
            half.sendall(b"\x13BitTorrent proto")
            self.assertTrue(peer.Wire(silent).is_closed(15))
            self.assertTrue(peer.Wire(half).is_closed(5))

    def test_hostile_messages(self):
        """a 2 GiB length, wrong bitfields and bad indices close their connection"""
        cases = {
            "2 GiB": struct.pack(">IB", 0x80000000, 7),
            "4 GiB - 1": struct.pack(">IB", 0xFFFFFFFF, 20),
            "short bitfield": struct.pack(">IB", 2, peer.BITFIELD) + b"\0",
            "long bitfield": struct.pack(">IB", 4, peer.BITFIELD) + bytes(3),
            "spare bits": struct.pack(">IB", 3, peer.BITFIELD) + b"\xff\xff",
            "have out of range": struct.pack(">IBI", 5, peer.HAVE, 10),
            "have of the wrong length": struct.pack(">IBH", 3, peer.HAVE, 1),
            "request of 2 GiB": struct.pack(">IB", 13, peer.REQUEST) + peer.request(0, 0, 1 << 31),
            "request of the wrong length": struct.pack(">IB", 9, peer.REQUEST) + bytes(8),
        }
        for name, data in cases.items():
            with self.subTest(case=name):
                wire = self.unchoked() if name.startswith("request") else self.dial()
                wire.send(data)
                self.assertTrue(wire.is_closed(10))
        self.still_serves()

    def test_late_bitfield(self):
        """a bitfield in the middle of a session is taken like haves: aria2 1.36 sends one instead of several haves"""
        wire = self.unchoked()
        wire.message(peer.HAVE, struct.pack(">I", 3))
        wire.message(peer.BITFIELD, b"\x18\0")
        wire.message(peer.REQUEST, peer.request(1, 0, 16384))
        kind = 0
        while kind != peer.PIECE:
            kind, _ = wire.next()

    def test_bad_requests(self):
        """requests outside the torrent get no data and do not harm the sharer"""
        for index, begin, length in ((10, 0, 16384), (0xFFFFFFFF, 0, 16384), (0, 16384, 1), (0, 0xFFFFFFFF, 2), (9, 1, 16384), (0, 0, 0)):
            with self.subTest(index=index, begin=begin, length=length):
                wire = self.unchoked()
                wire.message(peer.REQUEST, peer.request(index, begin, length))
                wire.message(peer.REQUEST, peer.request(1, 0, 16384))
                try:
                    while True:
                        kind, payload = wire.next()
                        if kind == peer.PIECE:
                            self.assertEqual(payload[:8], struct.pack(">II", 1, 0))
                            break
                except peer.Closed:
                    pass
        self.still_serves()

    def test_flood(self):
        """hundreds of connections and endless requests do not stop an honest fetch"""
        sockets = []
        for _ in range(300):
            try:
                sockets.append(socket.create_connection(self.address, 2))
            except OSError:
                break
        self.addCleanup(lambda: [s.close() for s in sockets])
        self.still_serves()
        wire = self.unchoked()
        try:
            for number in range(20_000):
                wire.message(peer.REQUEST, peer.request(number % 10, 0, 16384))
        except peer.Closed:
            pass
        self.still_serves()

    def test_metadata_requests(self):
        """metadata pieces out of range are refused, and broken extension messages close the connection"""
        wire = self.dial()
        wire.extended_handshake()
        while not wire.their_metadata_id:
            kind, payload = wire.next()
            if kind == peer.EXTENDED and payload[0] == 0:
                wire.note_extended_handshake(payload[1:])
        for number in (1, 1 << 31, -1):
            wire.message(peer.EXTENDED, bytes([wire.their_metadata_id]) + bencode.encode({"msg_type": 0, "piece": number}))
        wire.message(peer.EXTENDED, b"\0" + b"d1:a" * 20_000)
        until(lambda: wire.is_closed(0.5), 10, "the sharer to hang up")
        self.still_serves()
