"""What strangers can say to a sharer before and in a secure session (secure-peer.md, section 3)."""
import os
import random
import socket
import time

from harness import bencode, noise, peer, records, sps
from harness.process import until
from harness.proxy import TO_CLIENT, TO_SERVER, Flipping
from harness.secure import PIECE, SecureCase

#: The points of X25519 whose product with any secret is zero: order 1, 2, 4 and 8, and what equals them mod 2^255 - 19.
PRIME = 2**255 - 19
WEAK_POINTS = [number.to_bytes(32, "little") for number in (
    0, 1, PRIME - 1, PRIME, PRIME + 1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823)]
#: The order of Ed25519's group.
ORDER = 2**252 + 27742317777372353535851937790883648493
DAY = sps.DAY


class OpeningTests(SecureCase):
    def setUp(self):
        super().setUp()
        self.ours = self.sharer()

    def raw(self, data=b""):
        """A connection that has said `data`."""
        sock = socket.create_connection(self.ours.at, 5)
        self.addCleanup(sock.close)
        wire = peer.Wire(sock)
        wire.send(data)
        return wire

    def answer_to(self, data, seconds=8):
        """All that is said until the sharer hangs up."""
        wire = self.raw(data)
        wire.sock.settimeout(seconds)
        said = b""
        try:
            while chunk := wire.sock.recv(4096):
                said += chunk
        except ConnectionResetError:
            pass
        except TimeoutError:
            self.fail(f"the sharer did not hang up; it said {said.hex() or 'nothing'}")
        return said

    def hello(self, **fields):
        side = sps.Side(self.torrent.info_hash)
        for name, value in fields.items():
            setattr(side, name, value)
        return sps.Handshake(side).hello()

    def test_both_languages(self):
        """a stranger is served over SPS/1, another in plain, on one port, and JSON tells them apart"""
        self.assert_serves(self.dial(self.ours, identity=(stranger := records.Identity())))
        plain = peer.dial(self.ours.at, self.torrent.info_hash)
        self.addCleanup(plain.close)
        self.assert_serves(plain)
        secure = until(lambda: self.peer_events(self.ours, secure=True, state="connected"), 10, "a secure peer", self.logs)
        self.assertEqual([e["key"] for e in secure], [stranger.text])
        self.assertEqual(secure[0]["client"], "Speaker 1")
        told = until(lambda: self.peer_events(self.ours, secure=False, state="connected"), 10, "a plain peer", self.logs)
        self.assertNotIn("key", told[0])

    def test_other_first_bytes(self):
        """what begins neither way is closed at once and without a byte: MSE, HTTP, TLS, noise (N21)"""
        rng = random.Random(21)
        openings = [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00", b"\x00", b"\x14Sec.", b"\x13BitTorrent_"]
        openings += [bytes([rng.choice([b for b in range(256) if b not in (0x13, 0x14)])]) + rng.randbytes(95) for _ in range(8)]
        for opening in openings:
            with self.subTest(opening=opening[:12]):
                # Four seconds are less than any deadline of a silent connection.
                self.assertEqual(self.answer_to(opening, 4), b"")
        self.assert_serves(self.dial(self.ours))

    def test_slow_hello(self):
        """a hello that comes a byte a second is hung up on before its magic is complete, one that stops later within 10 s (N22)"""
        wire, sent = self.raw(), 0
        magic_only = self.raw(sps.MAGIC)
        half = self.raw(self.hello()[:30])
        # It answers this one, and waits for message 3 as long as for everybody.
        unfinished = self.raw(self.hello())
        for byte in self.hello():
            try:
                wire.send(bytes([byte]))
                sent += 1
            except peer.Closed:
                break
            if wire.is_closed(1):
                break
        # The magic must be there within 5 s of the connection: 8 bytes take 7 s.
        self.assertLess(sent, 8)
        self.assertGreater(sent, 2)
        self.assertTrue(magic_only.is_closed(10))
        self.assertTrue(half.is_closed(5))
        self.assertTrue(unfinished.is_closed(5))
        self.assert_serves(self.dial(self.ours))

    def test_statuses(self):
        """a hello of another version, suite or mode gets its status and a close; another byte 11 or length a close alone (N23)"""
        good = self.hello()
        cases = {
            "version 2": (self.hello(version=2), b"\1\0\0"), "version 0": (self.hello(version=0), b"\1\0\0"),
            "suite 9": (self.hello(suite=9), b"\2\0\0"), "suite 2, reserved": (self.hello(suite=2), b"\2\0\0"),
            "mode 7": (self.hello(mode=7), b"\3\0\0"),
            "version before suite before mode": (self.hello(version=9, suite=9, mode=9), b"\1\0\0"),
            "suite before mode": (self.hello(suite=9, mode=9), b"\2\0\0"),
            "mode before byte 11": (self.hello(mode=7, byte_11=1), b"\3\0\0"),
            "byte 11 = 1": (self.hello(byte_11=1), b""),
            "length 31": (good[:12] + b"\0\x1f" + good[14:], b""),
            "length 48, open": (good[:12] + b"\0\x30" + good[14:], b""),
            "length 65535": (good[:12] + b"\xff\xff" + good[14:], b""),
        }
        for name, (hello, status) in cases.items():
            with self.subTest(name):
                self.assertEqual(self.answer_to(hello), status)
        self.assert_serves(self.dial(self.ours))

    def test_early_statuses(self):
        """a status does not wait for the rest of the hello: 14 bytes are enough to refuse it (N23)"""
        for name, hello, status in (("version", self.hello(version=2), b"\1\0\0"), ("suite", self.hello(suite=2), b"\2\0\0")):
            with self.subTest(name):
                self.assertEqual(self.answer_to(hello[:14], 4), status)

    def test_byte_by_byte(self):
        """a whole handshake and a request arrive in pieces of one byte"""
        class Slow(sps.Wire):
            def send_raw(self, data):
                for byte in data:
                    super().send_raw(bytes([byte]))
        sock = socket.create_connection(self.ours.at, 5)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire = Slow(sock, sps.Side(self.torrent.info_hash)).initiate()
        self.addCleanup(wire.drop)
        self.assert_serves(wire)

    def test_weak_points(self):
        """points of low order as ephemeral or static key are refused (N25)"""
        for number, point in enumerate(WEAK_POINTS):
            with self.subTest("ephemeral", point=number):
                self.assertEqual(self.answer_to(self.hello(ephemeral_public=point)), b"")
            with self.subTest("static", point=number):
                side = sps.Side(self.torrent.info_hash)
                side.static_public = point
                side.certificate = sps.certificate(side.identity, point)
                self.assert_refused(self.ours, side=side)
        self.assert_serves(self.dial(self.ours))

    def test_flips(self):
        """a flipped bit in any byte of message 1 or 3 gets no session from a sharer, nor does one in message 2 (N24)"""
        for direction, number, length in ((TO_SERVER, 0, 46), (TO_CLIENT, 0, 280), (TO_SERVER, 1, 282)):
            for place in range(length):
                box = Flipping(self.ours.at, direction=direction, number=number, byte=place, bit=place % 8)
                try:
                    wire = sps.dial(box.address, self.torrent.info_hash, v="SP 0.1")
                    self.addCleanup(wire.drop)
                    # A flip in a length makes the sharer wait for bytes that never come: so the end of ours has to come.
                    wire.sock.shutdown(socket.SHUT_WR)
                    kind, _ = wire.next()
                    self.fail(f"byte {place} of message {number}, {direction}: message {kind} came")
                except (peer.Closed, ValueError):
                    pass
                finally:
                    box.close()
                # 50 handshakes a second is what a node does for everybody together.
                time.sleep(0.02)
        self.assert_serves(self.dial(self.ours))


class CertificateTests(SecureCase):
    def setUp(self):
        super().setUp()
        self.ours = self.sharer()

    def side(self, certificate=None, **options):
        """An initiator with another certificate: bytes, or what makes them from (identity, static public key)."""
        side = sps.Side(self.torrent.info_hash, **options)
        if certificate:
            side.certificate = certificate(side.identity, noise.public_key(side.static))
        return side

    def refused_for_certificate(self, name, certificate, **options):
        with self.subTest(name):
            wire = self.dial(self.ours, side=self.side(certificate, **options))
            return self.assert_closed_for(wire, sps.CERTIFICATE)

    def between(self, begin, end):
        """A certificate valid between two times, in seconds from now."""
        now = int(time.time())
        return lambda identity, static: sps.certificate(identity, static, now + begin, now + end)

    def test_times(self):
        """certificates of other times, too long, reversed, or with times at the edge of 64 bits are refused (N26)"""
        refused = self.refused_for_certificate
        refused("expired", self.between(-9 * DAY, -2 * DAY))
        refused("not yet valid", self.between(2 * DAY, 9 * DAY))
        refused("31 days long", self.between(-DAY, 30 * DAY))
        refused("reversed", self.between(DAY, -DAY))
        refused("of no length", self.between(0, 0))
        edges = (0, 1, 2**63 - 1, 2**63, 2**64 - 1)
        for begin in edges:
            for end in edges:
                refused(f"{begin} to {end}", lambda i, s, b=begin, e=end: sps.certificate(i, s, b, e))
        # At the edge of what is allowed.
        for name, certificate in (("30 days", self.between(-DAY, 29 * DAY)), ("ended 50 min ago", self.between(-DAY, -3000)),
                                  ("begins in 50 min", self.between(3000, DAY))):
            with self.subTest(name):
                self.assert_serves(self.dial(self.ours, side=self.side(certificate)))

    def test_signatures(self):
        """certificates for another X25519 key, with a wrong signature, S + L, a point of low order, or cut are refused (N26)"""
        refused = self.refused_for_certificate
        refused("other X25519 key", lambda i, s: sps.certificate(i, noise.public_key(os.urandom(32))))
        refused("wrong signature", lambda i, s: sps.certificate(i, s)[:-64] + os.urandom(64))
        refused("other magic", lambda i, s: b"SPC2" + sps.certificate(i, s)[4:])
        refused("another's name", lambda i, s: (c := sps.certificate(i, s))[:4] + records.Identity().public + c[36:])

        def plus_order(identity, static):
            made = sps.certificate(identity, static)
            return made[:-32] + (int.from_bytes(made[-32:], "little") + ORDER).to_bytes(32, "little")
        refused("S + L", plus_order)

        class Nobody:
            """The neutral element as a key, for which a careless check takes R = neutral element, S = 0 under anything."""
            public = b"\1" + bytes(31)

            @staticmethod
            def sign(_):
                return b"\1" + bytes(63)
        refused("key of low order", lambda i, s: sps.certificate(Nobody, s))
        for length in (0, 147, 149):
            refused(f"{length} bytes", lambda i, s, n=length: (sps.certificate(i, s) + b"\0")[:n])
        self.assert_serves(self.dial(self.ours))

    def test_clock(self):
        """whose clock is two days off gets close reason 4 from a sharer, and is served in plain (N54)"""
        for name, certificate in (("ahead", self.between(2 * DAY, 9 * DAY)), ("behind", self.between(-9 * DAY, -2 * DAY))):
            with self.subTest(name):
                self.assert_closed_for(self.dial(self.ours, side=self.side(certificate)), sps.CERTIFICATE)
        plain = peer.dial(self.ours.at, self.torrent.info_hash)
        self.addCleanup(plain.close)
        self.assert_serves(plain)

    def test_payloads(self):
        """payloads that are not strict, lack a field or have one too long get no session; unknown fields do no harm"""
        side = self.side()
        fields = {"c": side.certificate, "f": sps.RESERVED, "l": 6881, "s": sps.swarm_tag(self.torrent.info_hash), "v": "x"}
        encode = bencode.encode

        def unsorted(names):
            return b"d" + b"".join(encode(n) + encode(fields[n]) for n in names) + b"e"
        wrong = {
            "no dictionary": b"4:abcd", "nothing": b"", "unsorted": unsorted("fclsv"), "twice": unsorted("cfflsv"),
            "trailing byte": encode(fields) + b"x",
            "no certificate": encode({k: v for k, v in fields.items() if k != "c"}),
            "no reserved bits": encode({k: v for k, v in fields.items() if k != "f"}),
            "no port": encode({k: v for k, v in fields.items() if k != "l"}),
            "no swarm": encode({k: v for k, v in fields.items() if k != "s"}),
            "port 0": encode({**fields, "l": 0}), "port 65536": encode({**fields, "l": 65536}),
            "port -1": encode({**fields, "l": -1}), "port of text": encode({**fields, "l": "6881"}),
            "7 reserved bytes": encode({**fields, "f": bytes(7)}), "swarm of 19 bytes": encode({**fields, "s": bytes(19)}),
            "client of 33 bytes": encode({**fields, "v": "x" * 33}),
            "5 levels": encode({**fields, "z": [[[[0]]]]}), "leading zero": encode(fields).replace(b"i6881e", b"i06881e"),
            "1025 bytes": encode({**fields, "z": bytes(800)}),
        }
        for name, payload in wrong.items():
            with self.subTest(name):
                side = self.side()
                side.payload = payload.replace(fields["c"], side.certificate)
                self.assert_refused(self.ours, side=side)
        side = self.side()
        side.payload = encode({**fields, "c": side.certificate, "v": "x" * 32, "zz": [[["deep enough", 1]]]})
        self.assert_serves(self.dial(self.ours, side=side))


class AdmissionTests(SecureCase):
    """Who gets a session with a sharer that asks for more than a valid key."""

    def swarm_key(self, name="swarm.key"):
        made = self.run_shoal("id", "swarm-key", "new", self.path(name))
        self.assertEqual(made.code, 0, made.log())
        with open(self.path(name), "rb") as f:
            return f.read()

    def trust(self, *identities):
        lines = ["# friends"] + [i if isinstance(i, str) else i.text for i in identities]
        with open(self.path("trusted"), "w", encoding="ascii") as f:
            f.write("\n".join(lines) + "\n")
        return self.path("trusted")

    def test_require(self):
        """a sharer that requires secure sessions says nothing to a plain client, and serves a secure one (N20)"""
        ours = self.sharer("--secure", "require")
        wire = peer.Wire(socket.create_connection(ours.at, 5))
        self.addCleanup(wire.close)
        wire.handshake(self.torrent.info_hash)
        wire.sock.settimeout(8)
        try:
            self.assertEqual(wire.sock.recv(1), b"")
        except ConnectionResetError:
            pass
        self.assert_serves(self.dial(ours))

    def test_unknown_swarm(self):
        """a swarm that the sharer does not have is close reason 2 after message 3 (N31)"""
        ours = self.sharer()
        wire = sps.dial(ours.at, os.urandom(20))
        self.addCleanup(wire.drop)
        self.assert_closed_for(wire, sps.SWARM)
        self.assert_serves(self.dial(ours))

    def test_own_key(self):
        """its own key is close reason 6 (N28)"""
        ours = self.sharer(state=self.path("ours"))
        side = sps.Side(self.torrent.info_hash, records.Identity.of_state(self.path("ours")))
        side.minds_itself = False
        wire = self.dial(ours, side=side)
        self.assert_closed_for(wire, sps.SELF)
        self.assert_serves(self.dial(ours))

    def test_trust(self):
        """a key that is not on the list is close reason 3 and sees no bitfield; one that is on it is served; plain is not (N30)"""
        friend = records.Identity()
        ours = self.sharer("--trust", self.trust(friend))
        self.assert_closed_for(self.dial(ours), sps.TRUST)
        self.assert_serves(self.dial(ours, identity=friend))
        wire = peer.Wire(socket.create_connection(ours.at, 5))
        wire.handshake(self.torrent.info_hash)
        self.addCleanup(wire.close)
        self.assertRaises(peer.Closed, wire.receive, 1)

    def test_private(self):
        """without the swarm's key nothing comes back, not a byte; with it the session is served (N29)"""
        key = self.swarm_key()
        ours = self.sharer("--swarm-key", self.path("swarm.key"))
        wrong = self.assert_refused(ours, psk=os.urandom(32))
        self.assertIsInstance(wrong, peer.EndOfStream, wrong)
        open_hello = self.assert_refused(ours)
        self.assertIn("status 3 (mode), length 0", str(open_hello))
        self.assert_serves(self.dial(ours, psk=key))
        plain = peer.Wire(socket.create_connection(ours.at, 5))
        self.addCleanup(plain.close)
        plain.handshake(self.torrent.info_hash)
        self.assertRaises(peer.Closed, plain.receive, 1)

    def test_private_hello_to_open(self):
        """a private hello to a node that has no private swarm is status 3 (N29)"""
        ours = self.sharer()
        self.assertIn("status 3 (mode), length 0", str(self.assert_refused(ours, psk=os.urandom(32))))

    def test_private_and_trust(self):
        """the key of the swarm does not replace the trusted list"""
        key, friend = self.swarm_key(), records.Identity()
        ours = self.sharer("--swarm-key", self.path("swarm.key"), "--trust", self.trust(friend))
        self.assert_closed_for(self.dial(ours, psk=key), sps.TRUST)
        self.assert_serves(self.dial(ours, psk=key, identity=friend))

    def test_newer_twin(self):
        """of two sessions of one key in one direction the newer one stays"""
        ours, identity = self.sharer(), records.Identity()
        older = self.dial(ours, identity=identity)
        self.unchoked(older)
        newer = self.dial(ours, identity=identity)
        self.assert_serves(newer)
        with self.assertRaises(sps.ClosedFor) as closed:
            while True:
                older.next()
        self.assertEqual(closed.exception.reason, sps.DUPLICATE)
        self.assertEqual(self.block(newer, 2), self.torrent.piece(2))

    def test_told_plain(self):
        """a plain client that says it speaks SPS/1 is told our key and served nothing in plain"""
        ours = self.sharer()
        wire = peer.dial(ours.at, self.torrent.info_hash)
        self.addCleanup(wire.close)
        wire.extended_handshake(sp={"k": records.Identity().public, "v": 1})
        wire.note_extended_handshake(self.said_by(wire, peer.EXTENDED)[1:])
        self.assertEqual(wire.their_extensions[b"sp"], {b"k": records.key(ours.key), b"v": 1})
        wire.message(peer.INTERESTED)
        wire.message(peer.REQUEST, peer.request(1, 0, PIECE))
        deadline = time.monotonic() + 4
        wire.sock.settimeout(1)
        try:
            while time.monotonic() < deadline:
                kind, _ = wire.next()
                self.assertNotEqual(kind, peer.PIECE)
        except peer.Closed:
            pass
        self.assert_serves(self.dial(ours))
