"""The second implementation of SPS/1, in Python, against published vectors and the design's known answers."""
import hashlib
import json
import os
import socket
import threading
import unittest

from harness import noise, peer, sps
from harness.case import Case
from harness.noise import Refused
from harness.proxy import TO_CLIENT, TO_SERVER, Flipping
from harness.records import Identity

INFO_HASH = bytes.fromhex("0123456789abcdef0123456789abcdef01234567")
BEGUN = 1_700_000_000


def count_from(first):
    return bytes(range(first, first + 32))


def known_sides(psk=None):
    """Initiator and responder of the design's known answers."""
    for seed, static, ephemeral in ((0, 0x40, 0x10), (0x20, 0xC0, 0x90)):
        side = sps.Side(INFO_HASH, Identity(count_from(seed)), psk, count_from(static), count_from(ephemeral),
                        f=bytes.fromhex("0000000000100005"), v="SP 0.1")
        side.certificate = sps.certificate(side.identity, noise.public_key(side.static), BEGUN)
        side.now = BEGUN + 60
        yield sps.Handshake(side)


def shaken(initiator, responder):
    """Both sessions, and the three messages."""
    hello = initiator.hello()
    responder.read_hello(hello)
    answer = responder.answer()
    initiator.read_answer(answer[3:])
    finish = initiator.finish()
    responder.read_finish(finish[2:])
    return initiator.session(), responder.session(), (hello, answer, finish)


class KnownAnswerTests(unittest.TestCase):
    def test_open(self):
        """the design's known answers for an open session"""
        initiator, responder = known_sides()
        ours, theirs, (hello, answer, finish) = shaken(initiator, responder)
        self.assertEqual(hello.hex(), "1453656350656572010100000020d89e3bad79437dbed9f843418304f460ff05c7fe81fe4a9577a804cb"
                                      "9367ff66")
        self.assertEqual(hashlib.sha256(initiator.side.certificate).hexdigest(),
                         "6e7d402a068746dd0608fddad1115f6026d91c2bea998e09e0da1ab33671b64b")
        self.assertEqual(hashlib.sha256(answer).hexdigest(), "4cd991a8a1514a1db36f7b0bf1a1bbf0ce655cb834c2815a462b7d655b2d047e")
        self.assertEqual(hashlib.sha256(finish).hexdigest(), "059e3142c8ad00f3f098411f66049e0ebc87aa453118b546bc394249e567ab1e")
        self.assertEqual((len(answer), len(finish)), (280, 282))
        for session in (ours, theirs):
            self.assertEqual(session.binding.hex(), "3705ef1892e61cbcd15b4a5c554ed7065c2346589a4bf9066650e636956e0760")
        keys = ("ae1654e701bff183e6380a921a9725b155c12d12ae75e9f86432dccab7ce7be0",
                "401816bef558e29c6d31c335f7d36b0b7e4ff20f0bfdc04c402eb192dcf6aa99")
        self.assertEqual((ours.sending.hex(), ours.receiving.hex()), keys)
        self.assertEqual((theirs.receiving.hex(), theirs.sending.hex()), keys)
        self.assertEqual(noise.rekeyed(ours.sending).hex(), "e07886a1aac222b9d246193ee4f797446038880576ec217c509e11a54cbb935e")
        self.assertEqual(ours.seal(sps.DATA, bytes(4)).hex(), "001586081d09bba94134f306a655ed020d288ba145e783")
        self.assertEqual(sps.swarm_tag(INFO_HASH).hex(), "eec7a49e53e4aaf388fa6de7a3f2f99853b43bbc")

    def test_private(self):
        """the design's known answer for a private session"""
        ours, theirs, (hello, _, _) = shaken(*known_sides(b"\7" * 32))
        self.assertEqual(len(hello), 62)
        self.assertEqual(ours.binding.hex(), "37a251962567020b80691584bc33ea3a2f55c5b74b4c5f2e3c0e6ec195777dc6")
        self.assertEqual(ours.binding, theirs.binding)

    def test_published(self):
        """the published Noise vectors for XX, XXpsk3 and XXpsk0+psk3"""
        with open(os.path.join(os.path.dirname(__file__), "noise-vectors.json"), encoding="ascii") as f:
            vectors = json.load(f)
        self.assertEqual(len(vectors), 3)
        for vector in vectors:
            with self.subTest(vector["protocol_name"]):
                self.check(vector)

    def check(self, vector):
        sides = []
        for side in ("init", "resp"):
            psks = [bytes.fromhex(p) for p in vector.get(f"{side}_psks", [])]
            sides.append(noise.HandshakeState(
                vector["protocol_name"], side == "init", bytes.fromhex(vector[f"{side}_prologue"]),
                bytes.fromhex(vector[f"{side}_static"]), bytes.fromhex(vector[f"{side}_ephemeral"]), psks))
        keys = counters = None
        for number, message in enumerate(vector["messages"]):
            writer, reader = sides if number % 2 == 0 else sides[::-1]
            payload, expected = bytes.fromhex(message["payload"]), bytes.fromhex(message["ciphertext"])
            if number < 3:
                self.assertEqual(writer.write(payload).hex(), expected.hex())
                self.assertEqual(reader.read(expected), payload)
                continue
            if keys is None:
                keys, counters = sides[0].split(), [0, 0]
                self.assertEqual(keys, sides[1].split())
                self.assertEqual(sides[0].h.hex(), vector.get("handshake_hash", sides[1].h.hex()))
            way = number % 2
            self.assertEqual(noise.encrypt(keys[way], counters[way], b"", payload).hex(), expected.hex())
            counters[way] += 1
        self.assertGreater(len(vector["messages"]), 3)


class StrangerTests(Case):
    """Two Python sides over real sockets: what the tests of the program lean on works."""

    def listen(self, serve):
        """Accepts one connection; `serve(socket)` ends in what is kept as result or exception."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        outcome = []

        def run():
            sock, _ = listener.accept()
            self.addCleanup(sock.close)
            try:
                outcome.append(serve(sock))
            except (Refused, peer.Closed) as error:
                outcome.append(error)
                sock.close()
        thread = threading.Thread(target=run, daemon=True)
        thread.start()

        def result():
            thread.join(10)
            return outcome[0]
        return listener.getsockname(), result

    def test_messages(self):
        """messages longer than a record, close records and ends without one arrive as what they are"""
        address, result = self.listen(lambda sock: sps.Wire(sock, sps.Side(INFO_HASH)).respond())
        wire = sps.dial(address, INFO_HASH)
        other = result()
        wire.message(peer.PIECE, bytes(range(256)) * 400)
        self.assertEqual(other.next(), (peer.PIECE, bytes(range(256)) * 400))
        other.close(sps.TRUST, b"not you")
        with self.assertRaises(sps.ClosedFor) as closed:
            wire.next()
        self.assertEqual((closed.exception.reason, closed.exception.text), (sps.TRUST, "not you"))
        wire.drop()

    def test_truncated(self):
        """an end without a close record is told from one with it"""
        address, result = self.listen(lambda sock: sps.Wire(sock, sps.Side(INFO_HASH)).respond())
        wire = sps.dial(address, INFO_HASH)
        result().drop()
        self.assertRaises(sps.Truncated, wire.next)

    def test_rekey(self):
        """140 000 records each way pass two rekeys"""
        ours, theirs, _ = shaken(*(sps.Handshake(sps.Side(INFO_HASH)) for _ in range(2)))
        first = ours.sending, theirs.sending
        for _ in range(140_000):
            self.assertEqual(theirs.open(ours.seal(sps.DATA, b"x")[2:]), (sps.DATA, b"x"))
            self.assertEqual(ours.open(theirs.seal(sps.DATA, b"y")[2:]), (sps.DATA, b"y"))
        self.assertEqual((ours.sending, theirs.sending), tuple(noise.rekeyed(noise.rekeyed(k)) for k in first))

    def test_flips(self):
        """a flipped bit in any byte of the handshake is refused by the one who receives it (N24)"""
        for number in range(3):
            length = (46, 280, 282)[number]
            for place in range(length):
                with self.subTest(message=number + 1, byte=place):
                    self.assertFalse(self.agrees(number, place), "a session came of it")

    def agrees(self, flipped, place):
        """Whether the side that receives the flipped message still finds it right."""
        initiator, responder = (sps.Handshake(sps.Side(INFO_HASH, v="SP 0.1", f=sps.RESERVED)) for _ in range(2))

        def passed(number, message):
            if number != flipped:
                return message
            changed = bytearray(message)
            changed[place] ^= 1 << place % 8
            return bytes(changed)
        try:
            hello = passed(0, initiator.hello())
            if hello[:8] != sps.MAGIC or hello[12:14] != b"\0\x20":
                return False
            responder.read_hello(hello)
            answer = passed(1, responder.answer())
            if answer[:3] != b"\0" + len(answer[3:]).to_bytes(2, "big"):
                return False
            initiator.read_answer(answer[3:])
            finish = passed(2, initiator.finish())
            if finish[:2] != len(finish[2:]).to_bytes(2, "big"):
                return False
            responder.read_finish(finish[2:])
        except ValueError:
            return False
        return True

    def test_flips_on_the_way(self):
        """the box between two peers reads their frames: a bit it flips in message 2 or 3 shows on the right side"""
        for direction, number, shows_here in ((TO_CLIENT, 0, True), (TO_SERVER, 1, False)):
            with self.subTest(direction=direction):
                address, result = self.listen(lambda sock: sps.Wire(sock, sps.Side(INFO_HASH)).respond())
                box = self.speaker(Flipping, address, direction=direction, number=number, byte=50)
                if shows_here:
                    self.assertRaises(Refused, sps.dial, box.address, INFO_HASH)
                else:
                    wire = sps.dial(box.address, INFO_HASH)
                    self.assertRaises(peer.Closed, wire.next)
                    self.assertIsInstance(result(), Refused)
