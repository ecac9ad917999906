"""What a fetch takes from those it dials, and from those who stand between (secure-peer.md, section 3)."""
import fcntl
import os
import socket
import struct
import termios
import time

from harness import noise, peer, records, sps
from harness.process import until
from harness.proxy import TO_CLIENT, TO_SERVER, Flipping, Proxy
from harness.runner import long
from harness.secure import PIECE, SecureCase
from harness.sps import EitherSeeder, SecureSeeder


def unacknowledged(sock):
    """How many bytes of those that were sent are not in the other socket yet."""
    return struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)))[0]


class Noted(SecureSeeder):
    """Keeps the sessions, and counts those that got as far as message 3."""

    def __init__(self, *args, **fields):
        self.sessions = []
        super().__init__(*args, **fields)

    def greet(self, wire):
        self.sessions.append(wire)
        super().greet(wire)


class Crooked(Noted):
    """Its side of the handshake is bent by the test."""

    def __init__(self, *args, bend, **fields):
        self.bend = bend
        super().__init__(*args, **fields)

    def new_side(self):
        side = super().new_side()
        self.bend(side)
        return side


class Status(SecureSeeder):
    """Answers every hello with a status."""

    status = 4

    def _run(self, wire):
        try:
            wire.receive_raw(46)
            wire.send_raw(bytes([self.status, 0, 0]))
        except peer.Closed:
            pass
        wire.drop()


class RawRecord(Noted):
    """Sends raw bytes in place of a record, when it is asked for the first block."""

    record = b""

    def answer_request(self, wire, index, begin, length):
        wire.send_raw(self.record)


class Meddler(Proxy):
    """Changes the records to the one who dialled, from the fifth on; `meddle(frames)` says how, once."""

    begins = 5

    def __init__(self, *args, meddle, **options):
        self.meddle, self.meddled, self.kept = meddle, 0, []
        super().__init__(*args, **options)

    def frame(self, link, direction, number, frame):
        if direction == TO_SERVER or number < self.begins or self.meddled:
            return [frame]
        self.kept.append(frame)
        out = self.meddle(self.kept)
        if out is None:
            return []
        self.meddled += 1
        return out


class StripsExtension(Proxy):
    """Takes `sp` out of the extension handshakes of both sides by breaking its name."""

    def changed(self, link, direction, data):
        return data.replace(b"2:spd", b"2:xxd")


class FetchTests(SecureCase):
    def seeder(self, kind=Noted, **fields):
        return self.speaker(kind, self.torrent, **fields)

    def test_pinned(self):
        """a peer that is named with its key is dialled over SPS/1, and its key and client are told"""
        seeder = self.seeder()
        fetch = self.fetch_from(self.pinned(seeder))
        self.assert_fetched(fetch)
        events = self.peer_events(fetch, seeder.text, state="connected")
        self.assertEqual([(e["secure"], e["key"], e["client"]) for e in events], [(True, seeder.identity.text, "Speaker 1")])
        self.assertEqual(records.key(fetch.event("listening")["key"]), seeder.sessions[0].their_key)

    def test_metadata(self):
        """a bare info-hash is enough over SPS/1 as well: the metadata comes that way"""
        seeder = self.seeder()
        fetch = self.fetch_from(self.pinned(seeder), what=self.torrent.hex)
        self.assert_fetched(fetch)

    def test_pin_in_verbose(self):
        """-v shows a person the mark and the key of a secure peer"""
        seeder = self.seeder()
        fetch = self.shoal("fetch", self.torrent_file, "-o", self.path("copy.bin"), "--no-dht", "-v", "--listen", "127.0.0.1:0",
                           "--peer", self.pinned(seeder))
        self.assert_fetched(fetch)
        self.assertIn(seeder.identity.text, fetch.stderr())

    def test_other_identity(self):
        """a peer that proves another key than the one it was named with is refused before message 3, exit 4 (N27)"""
        seeder, other = self.seeder(), records.Identity()
        fetch = self.fetch_from(self.pinned(seeder, other), args=["--timeout", "4"])
        fetch.wait(20)
        self.expect(fetch, 4, "identity|key")
        refused = self.reason(fetch, "peer_identity_mismatch")
        self.assertEqual((refused["address"], refused["state"]), (seeder.text, "refused"))
        self.assertEqual(seeder.sessions, [], "message 3 was sent")
        self.assertGreater(seeder.connections, 0)

    def test_downgrade(self):
        """a peer known to speak SPS/1 that answers plain, a status, rubbish or nothing is not dialled in plain (N32)"""
        class Rubbish(peer.Seeder):
            def _run(self, wire):
                wire.send(b"HTTP/1.1 200 OK\r\n")
                wire.is_closed(20)

        class Silent(peer.Seeder):
            def _run(self, wire):
                wire.is_closed(20)

        class PlainFirst(peer.Seeder):
            """Says its plain handshake before it has read a byte, as the box in the middle would."""

            def _run(self, wire):
                wire.handshake(self.torrent.info_hash)
                wire.is_closed(20)
        identity = records.Identity()
        for kind in (peer.Seeder, PlainFirst, Rubbish, Silent, Status):
            with self.subTest(kind.__name__):
                box = self.speaker(Proxy, self.seeder(kind).address)
                fetch = self.fetch_from(f"{identity.text}@{box.text}", args=["--timeout", "7"])
                refused = self.reason(fetch, "secure_downgrade_refused")
                self.assertEqual(refused["address"], box.text)
                fetch.wait(30)
                self.assertIn(fetch.code, (3, 4), fetch.log())
                self.assertEqual(set(box.first_bytes), {b"\x14"})
                self.assertNotIn(self.torrent.info_hash, box.everything()[0])

    def test_proved_over_udp(self):
        """a peer whose DHT port proved a key is dialled over SPS/1 only; a plain answer there is a refused downgrade (N32)"""
        plain = self.seeder(peer.Seeder)
        node = self.speaker(records.Node, plain.address[0], plain.port)
        # Nothing but the record leads there, so that nobody dials it before its DHT port is asked.
        node.records[self.torrent.info_hash] = [records.record(
            node.identity, self.torrent.info_hash, records.value(plain.port, self.torrent.piece_count, f=3), source=plain.address)]
        fetch = self.fetch(self.torrent_file, self.path("copy.bin"), "--timeout", "8", bootstrap=node.text)
        refused = self.reason(fetch, "secure_downgrade_refused")
        self.assertEqual((refused["address"], refused.get("key", node.identity.text)), (plain.text, node.identity.text))
        fetch.wait(30)
        self.assertNotEqual(fetch.code, 0)
        self.assertEqual(plain.requests, [])

    def test_pinned_by_record(self):
        """a peer whose record is signed by one key and who proves another gets no message 3 (N27)"""
        other = self.seeder()
        node = self.speaker(records.Node, other.address[0], other.port)
        self.assertNotEqual(node.identity.public, other.identity.public)
        node.records[self.torrent.info_hash] = [records.record(
            node.identity, self.torrent.info_hash, records.value(other.port, self.torrent.piece_count, f=3), source=other.address)]
        fetch = self.fetch(self.torrent_file, self.path("copy.bin"), "--timeout", "5", bootstrap=node.text)
        self.assertEqual(self.reason(fetch, "peer_identity_mismatch")["address"], other.text)
        fetch.wait(30)
        self.assertEqual((fetch.code, other.sessions), (4, []), fetch.log())

    def test_no_storm(self):
        """whoever ends every session at once, whatever the reason, is not dialled again and again"""
        class Leaves(Noted):
            def greet(self, wire):
                wire.close(self.reason) if self.reason is not None else wire.drop()
                raise peer.Closed("left")
        seeders = {}
        for reason in (None, *range(9), 77):
            seeders[reason] = self.seeder(type("Leaves", (Leaves,), {"reason": reason}))
        fetch = self.fetch_from(*map(self.pinned, seeders.values()), args=["--timeout", "9"])
        fetch.wait(30)
        self.assertNotEqual(fetch.code, 0)
        counts = {reason: s.connections for reason, s in seeders.items()}
        self.assertTrue(all(counts.values()), counts)
        # Peers that the person named are dialled again after 1, 5 and 30 s.
        self.assertLessEqual(max(counts.values()), 4, counts)

    def test_upgrade(self):
        """a plain peer that says `sp` is asked for nothing in plain, and dialled again over SPS/1 with that key"""
        plain = []

        class Watched(EitherSeeder):
            def answer_request(self, wire, index, begin, length):
                if not isinstance(wire, sps.Wire):
                    plain.append(index)
                super().answer_request(wire, index, begin, length)
        seeder = self.seeder(Watched)
        fetch = self.fetch_from(seeder.text)
        self.assert_fetched(fetch)
        self.assertEqual(plain, [])
        self.assertEqual(len(seeder.requests), self.torrent.piece_count)
        self.assertTrue(self.peer_events(fetch, seeder.text, state="connected", secure=True, key=seeder.identity.text))

    def test_upgrade_to_another_key(self):
        """who says one key in `sp` and proves another is refused, before message 3, and asked for nothing in plain"""
        plain, sessions = [], []

        class Liar(EitherSeeder):
            def extensions(self):
                return {"sp": {"k": records.Identity().public, "v": 1}}

            def greet(self, wire):
                (sessions if isinstance(wire, sps.Wire) else plain).append(wire)
                super().greet(wire)

            def answer_request(self, wire, index, begin, length):
                if wire in plain:
                    self.asked_in_plain = True
                super().answer_request(wire, index, begin, length)
        seeder = self.seeder(Liar)
        fetch = self.fetch_from(seeder.text, args=["--timeout", "5"])
        refused = self.reason(fetch, "peer_identity_mismatch")
        self.assertEqual((refused["address"], refused["state"]), (seeder.text, "refused"))
        fetch.wait(20)
        self.assertEqual(len(plain), 1)
        self.assertFalse(hasattr(seeder, "asked_in_plain"))
        # What was said in plain binds the dial that follows it: of the key that came back nobody had said anything.
        self.assertLess(len(sessions), seeder.connections - 1)

    def test_stripped(self):
        """a box that strips `sp` at the first meeting wins plain, as the limits say; one that comes after evidence does not (N32)"""
        seeder = self.seeder(EitherSeeder)
        box = self.speaker(StripsExtension, seeder.address)
        first = self.fetch_from(box.text)
        self.assert_fetched(first)
        self.assertTrue(self.peer_events(first, box.text, state="connected", secure=False))
        # Met without the box in between, it is known; what the fetch remembers of it is in the state folder.
        kept, port = self.path("kept"), seeder.port
        second = self.fetch_from(seeder.text, output="second.bin", state=kept)
        self.assert_fetched(second, output="second.bin")
        seeder.close()
        in_its_place = self.speaker(peer.Seeder, self.torrent, port=port)
        third = self.fetch_from(in_its_place.text, args=["--timeout", "6"], output="third.bin", state=kept)
        self.reason(third, "secure_downgrade_refused")
        third.wait(20)
        self.assertNotEqual(third.code, 0)
        self.assertEqual(in_its_place.requests, [])

    def test_require(self):
        """a fetch that requires secure sessions says nothing in plain, and takes from those who speak SPS/1 (N20)"""
        plain, secure = self.seeder(peer.Seeder), self.seeder()
        box = self.speaker(Proxy, plain.address)
        fetch = self.fetch_from(box.text, secure.text, args=["--secure", "require"])
        self.assert_fetched(fetch)
        until(lambda: box.first_bytes, 10, "a dial", self.logs)
        self.assertEqual(set(box.first_bytes), {b"\x14"})
        self.assertEqual(plain.requests, [])

    def test_off(self):
        """a fetch whose secure sessions are off asks in plain who would speak both, and says that this is for measurement"""
        seeder = self.seeder(EitherSeeder)
        fetch = self.fetch_from(seeder.text, args=["--secure", "off"])
        self.assert_fetched(fetch)
        self.assertTrue(self.peer_events(fetch, seeder.text, state="connected", secure=False))
        self.assertEqual(seeder.connections, 1)
        self.assertIn("measure", fetch.event("notice")["message"])

    def test_trust(self):
        """a fetch with a trusted list takes from the one on it, and shows the other no message 3 (N30)"""
        friend, stranger = self.seeder(), self.seeder()
        with open(self.path("trusted"), "w", encoding="ascii") as f:
            f.write(f"# one friend\n\n{friend.identity.text}\n")
        fetch = self.fetch_from(stranger.text, friend.text, args=["--trust", self.path("trusted")])
        self.assert_fetched(fetch)
        self.assertEqual(self.reason(fetch, "not_trusted")["address"], stranger.text)
        self.assertEqual(stranger.sessions, [])

    def test_swarm_key(self):
        """a fetch with a swarm key takes from those who have it, and says nothing in plain or open mode (N29)"""
        key = os.urandom(32)
        path = self.path("swarm.key")
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as f:
            f.write(key)
        member, other, plain = self.seeder(psk=key), self.seeder(psk=os.urandom(32)), self.seeder(EitherSeeder)
        box = self.speaker(Proxy, plain.address)
        fetch = self.fetch_from(box.text, other.text, member.text, args=["--swarm-key", path])
        self.assert_fetched(fetch)
        self.assertEqual((other.sessions, plain.requests), ([], []))
        self.assertEqual(set(box.first_bytes) - {b""}, {b"\x14"})
        # Mode 1 and its 16 byte longer first message.
        self.assertTrue(box.everything()[0].startswith(sps.MAGIC + b"\1\1\1\0\0\x30"))

    def test_own_key(self):
        """a peer that proves the key of the fetch itself gets no message 3 and is not dialled again (N28)"""
        state = self.path("own")
        made = self.run_shoal("id", "new", "--state", state)
        self.assertEqual(made.code, 0, made.log())
        mirror = self.seeder(identity=records.Identity.of_state(state))
        fetch = self.fetch_from(mirror.text, args=["--secure", "require", "--timeout", "8"], state=state)
        self.reason(fetch, "connected_to_self")
        fetch.wait(30)
        # Named peers are dialled again after 1 s and 5 s; this one was not.
        self.assertEqual((mirror.connections, mirror.sessions), (1, []))

    def test_word_of_another(self):
        """a plain peer that somebody else's record calls one of ours is taken from in plain all the same"""
        plain = self.seeder(peer.Seeder)
        keeper = self.speaker(records.Node)
        keeper.stored[self.torrent.info_hash] = {plain.address}
        content = records.value(plain.port, self.torrent.piece_count, f=1)
        keeper.records[self.torrent.info_hash] = [
            records.record(records.Identity(), self.torrent.info_hash, content, source=plain.address)]
        fetch = self.fetch(self.torrent_file, self.path("copy.bin"), bootstrap=keeper.text)
        self.assert_fetched(fetch)
        self.assertTrue(self.peer_events(fetch, plain.text, state="connected", secure=False))

    def test_texts(self):
        """what a stranger calls itself, and why it says it closes, is printed without anything a terminal acts on"""
        class Rude(Noted):
            def answer_request(self, wire, index, begin, length):
                wire.close(sps.LIMIT, b"\x1b]0;owned\x07\n\xff" + b"x" * 100)
                raise peer.Closed("left")
        for args in ([], ["-v"], ["--json"]):
            with self.subTest(args=args):
                rude, honest = self.seeder(Rude, v=b"\x1b[2J\xff\n\"}"), self.seeder()
                fetch = self.shoal("fetch", self.torrent_file, "-o", self.path(f"{''.join(args)}.bin"), "--no-dht", *args, "--listen",
                                   "127.0.0.1:0", "--peer", self.pinned(rude), "--peer", self.pinned(honest), "--limit-down", "300K")
                self.assertEqual(fetch.wait(30), 0, fetch.log())
                self.assertGreater(len(rude.requests), 0)
                for said in (fetch.stdout(), fetch.stderr().encode()):
                    self.assertFalse([b for b in said if b < 32 and b not in b"\n\r" or b == 127], said[-2000:])
                if args == ["--json"]:
                    self.assertTrue(fetch.all("peer"))

    def test_busy(self):
        """a status is no session: the peer is tried again later, and the file comes from another"""
        busy, seeder = self.seeder(Status), self.seeder()
        fetch = self.fetch_from(self.pinned(busy), self.pinned(seeder))
        self.assert_fetched(fetch)


class ResponderTests(SecureCase):
    """Answers to a hello that are wrong in one thing; the file comes from an honest seeder beside."""

    def refused(self, name, bend, words="certificate"):
        with self.subTest(name):
            crooked = self.speaker(Crooked, self.torrent, bend=bend)
            fetch = self.fetch_from(self.pinned(crooked), args=["--timeout", "3"], output=f"{name}.bin")
            event = until(lambda: [e for e in self.peer_events(fetch, crooked.text) if e.get("reason")], 10, "a refusal",
                          self.logs)[0]
            self.assertTrue(any(w in event["reason"] for w in words.split("|")), event)
            fetch.wait(20)
            self.assertNotEqual(fetch.code, 0)
            self.assertEqual(crooked.sessions, [], "message 3 was sent")
            return fetch

    def test_certificates(self):
        """a responder's certificate that is expired, too long, reversed, of another key or wrongly signed ends the handshake (N26)"""
        now = int(time.time())

        def times(begin, end):
            def bend(side):
                side.certificate = sps.certificate(side.identity, noise.public_key(side.static), begin, end)
            return bend

        def other_key(side):
            side.certificate = sps.certificate(side.identity, noise.public_key(os.urandom(32)))

        def wrong_signature(side):
            side.certificate = side.certificate[:-1] + bytes([side.certificate[-1] ^ 1])
        self.refused("expired", times(now - 9 * sps.DAY, now - 2 * sps.DAY))
        self.refused("31 days", times(now - sps.DAY, now + 30 * sps.DAY))
        self.refused("reversed", times(now + 60, now - 60))
        self.refused("extremes", times(0, 2**64 - 1))
        self.refused("other key", other_key)
        self.refused("wrong signature", wrong_signature)

    def test_weak_points(self):
        """a responder with a point of low order gets no message 3 (N25)"""
        def weak_ephemeral(side):
            side.ephemeral_public = bytes(32)

        def weak_static(side):
            side.static_public = b"\1" + bytes(31)
        for name, bend in (("ephemeral", weak_ephemeral), ("static", weak_static)):
            with self.subTest(name):
                # Our own Noise would refuse too, in its own words: what counts is that the fetch takes nothing.
                crooked = self.speaker(Crooked, self.torrent, bend=bend)
                fetch = self.fetch_from(self.pinned(crooked), args=["--timeout", "3"], output=f"{name}.bin")
                fetch.wait(20)
                self.assertNotEqual(fetch.code, 0)
                self.assertEqual(crooked.sessions, [])

    def test_clock(self):
        """a fetch says how far the clock is off, does not go plain, and still takes from a plain peer (N54)"""
        now = int(time.time())

        def ahead(side):
            side.certificate = sps.certificate(side.identity, noise.public_key(side.static), now + 2 * sps.DAY)
        crooked = self.speaker(Crooked, self.torrent, bend=ahead)
        box = self.speaker(Proxy, crooked.address)
        named = f"{crooked.identity.text}@{box.text}"
        alone = self.shoal("fetch", self.torrent_file, "-o", self.path("alone.bin"), "--no-dht", "--listen", "127.0.0.1:0",
                           "--peer", named, "--timeout", "3")
        alone.wait(20)
        self.assertIn("not valid at local time (off by ~2 d)", alone.stderr())
        self.assertEqual(set(box.first_bytes), {b"\x14"})
        plain = self.speaker(peer.Seeder, self.torrent)
        self.assert_fetched(self.fetch_from(named, plain.text))

    def test_flips(self):
        """a flipped bit in message 2 gets no message 3 from a fetch (N24)"""
        # Every bit is flipped in the tests of the machine; here one of each part, through sockets.
        places = [0, 1, 2, 3, 34, 35, 60, 82, 83, 90, 120, 200, 260, 270, 279]
        seeders = [self.speaker(Noted, self.torrent) for _ in places]
        boxes = [self.speaker(Flipping, s.address, direction=TO_CLIENT, number=0, byte=p, bit=p % 8)
                 for s, p in zip(seeders, places)]
        fetch = self.fetch_from(*(f"{s.identity.text}@{b.text}" for s, b in zip(seeders, boxes)), args=["--limit-down", "50K"])
        until(lambda: all(b.connections for b in boxes), 20, "all of them to be dialled", self.logs)
        # The second dial of each is not flipped: so every one of them proves that the first was refused and retried.
        self.assert_fetched(fetch, 60)
        for box, seeder, place in zip(boxes, seeders, places):
            self.assertLess(len(seeder.sessions), box.connections, f"byte {place} was taken for right")


class RecordTests(SecureCase):
    """Records that lie, arrive twice, or never."""

    size = 64 * PIECE

    def raw(self, record):
        seeder = self.speaker(type("Raw", (RawRecord,), {"record": record}), self.torrent)
        honest = self.speaker(Noted, self.torrent)
        fetch = self.fetch_from(self.pinned(seeder), self.pinned(honest), args=["--limit-down", "200K"])
        return seeder, fetch

    def test_lengths(self):
        """records of 0 and 16 bytes are a protocol error: that session ends, the file comes from another (N33)"""
        for size in (0, 16):
            with self.subTest(size):
                seeder, fetch = self.raw(size.to_bytes(2, "big") + bytes(size))
                self.assertTrue(seeder.hung_up.wait(10), self.logs())
                self.assert_fetched(fetch)
                os.unlink(self.path("copy.bin"))

    @long
    def test_stalled(self):
        """a record of 65535 bytes that never comes ends the session after 30 s (N33)"""
        class Stalls(RawRecord):
            record = b"\xff\xff"

            def new_wire(self, sock):
                wire = super().new_wire(sock)
                sock.settimeout(100)
                return wire
        seeder = self.speaker(Stalls, self.torrent)
        fetch = self.fetch_from(self.pinned(seeder))
        until(lambda: seeder.requests, 10, "a request", self.logs)
        asked = time.monotonic()
        # Idle connections are closed after 120 s: this is the record's own deadline.
        self.assertTrue(seeder.hung_up.wait(60), self.logs())
        self.assertGreater(time.monotonic() - asked, 25)
        self.assertIsNone(fetch.code)

    def test_meddling(self):
        """a record that was replayed, dropped, swapped or flipped ends the session there; what came before is kept (N34)"""
        def flipped(kept):
            return [kept[0][:40] + bytes([kept[0][40] ^ 1]) + kept[0][41:]]
        cases = {
            "replayed": lambda kept: [kept[0], kept[0]],
            "dropped": lambda kept: [kept[1]] if len(kept) > 1 else None,
            "swapped": lambda kept: [kept[1], kept[0]] if len(kept) > 1 else None,
            "body flipped": flipped,
            "tag flipped": lambda kept: [kept[0][:-1] + bytes([kept[0][-1] ^ 1])],
        }
        for name, meddle in cases.items():
            with self.subTest(name):
                seeder = self.speaker(Noted, self.torrent)
                box = self.speaker(Meddler, seeder.address, meddle=meddle)
                output = f"{name}.bin"
                fetch = self.fetch_from(f"{seeder.identity.text}@{box.text}", output=output)
                self.assert_fetched(fetch, output=output)
                self.assertEqual(box.meddled, 1)
                self.assertGreater(len(seeder.sessions), 1, "the session went on")
                # A block that had come is not asked for again: the few in flight at most are.
                self.assertLess(fetch.last("done")["downloaded"], self.size + 32 * PIECE)

    def test_truncated(self):
        """an end without a close record in the middle of a piece is told, and the block comes from another (N36)"""
        class Leaves(Noted):
            def answer_request(self, wire, index, begin, length):
                if len(self.requests) < 4:
                    return super().answer_request(wire, index, begin, length)
                wire.send(struct.pack(">IBII", 9 + length, peer.PIECE, index, begin) + self.block(index, begin, length)[:5000])
                # A FIN, and not the reset that closing with unread requests would be.
                wire.sock.shutdown(socket.SHUT_WR)
                wire.is_closed(10)
                raise peer.Closed("left")
        leaves, honest = self.speaker(Leaves, self.torrent), self.speaker(Noted, self.torrent)
        fetch = self.fetch_from(self.pinned(leaves), self.pinned(honest), args=["--limit-down", "300K"])
        self.assertEqual(self.reason(fetch, "truncated")["address"], leaves.text)
        self.assert_fetched(fetch)

    def test_close_record(self):
        """an end with a close record is not called truncated"""
        class Says(Noted):
            def answer_request(self, wire, index, begin, length):
                if len(self.requests) < 4:
                    return super().answer_request(wire, index, begin, length)
                wire.close(sps.LIMIT, b"tired")
                raise peer.Closed("left")
        leaves, honest = self.speaker(Says, self.torrent), self.speaker(Noted, self.torrent)
        fetch = self.fetch_from(self.pinned(leaves), self.pinned(honest), args=["--limit-down", "300K"])
        self.assert_fetched(fetch)
        self.assertEqual([e for e in fetch.all("peer") if e.get("reason") == "truncated"], [])

    def test_reset(self):
        """a reset behind a close record, while we send, loses neither the record nor the blocks before it"""
        class Resets(Noted):
            def answer_request(self, wire, index, begin, length):
                super().answer_request(wire, index, begin, length)
                if len(self.requests) < 6:
                    return
                wire.close(sps.LIMIT, b"tired")
                until(lambda: not unacknowledged(wire.sock), 10, "the last bytes to arrive")
                wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                raise peer.Closed("reset")
        # Under a limit all that was sent waits in the socket; the requests that follow the first block meet the reset.
        resets = self.speaker(Resets, self.torrent)
        fetch = self.fetch_from(self.pinned(resets), args=["--limit-down", "32K", "--listen", "127.0.0.1:0"])
        closed = self.reason(fetch, "too_many_peers|connection_lost|truncated")
        self.assertEqual(closed["reason"], "too_many_peers", fetch.log())
        self.assertEqual(closed["downloaded"], 6 * PIECE)

    def test_padding(self):
        """padding is skipped, and a record of an unknown type ends the session"""
        class Pads(Noted):
            def answer_request(self, wire, index, begin, length):
                wire.send_raw(wire.session.seal(sps.PADDING, os.urandom(300)))
                wire.send_raw(wire.session.seal(sps.DATA, b""))
                super().answer_request(wire, index, begin, length)

        class Unknown(Noted):
            def answer_request(self, wire, index, begin, length):
                wire.send_raw(wire.session.seal(9, b"?"))
        padded = self.speaker(Pads, self.torrent)
        self.assert_fetched(self.fetch_from(self.pinned(padded)))
        self.assertEqual(len(padded.sessions), 1)
        unknown, honest = self.speaker(Unknown, self.torrent), self.speaker(Noted, self.torrent)
        fetch = self.fetch_from(self.pinned(unknown), self.pinned(honest), args=["--limit-down", "300K"], output="second.bin")
        self.assertTrue(unknown.hung_up.wait(10), self.logs())
        self.assert_fetched(fetch, output="second.bin")

    def test_many_small_records(self):
        """a fetch takes a file in records of a few bytes"""
        class Small(Noted):
            def answer_request(self, wire, index, begin, length):
                message = struct.pack(">IBII", 9 + length, peer.PIECE, index, begin) + self.block(index, begin, length)
                wire.send_raw(b"".join(wire.session.seal(sps.DATA, message[at:at + 7]) for at in range(0, len(message), 7)))
        # 64 pieces of 16 KiB in records of 7 bytes are 149 796 records: two rekeys.
        small = self.speaker(Small, self.torrent)
        self.assert_fetched(self.fetch_from(self.pinned(small)), 60)
        self.assertEqual(len(small.sessions), 1)
