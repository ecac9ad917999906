"""SPS/1, the secure session between peers (secure-peer.md, section 3), written from the design and apart from the program.

`dial` and `SecureSeeder` speak it over sockets. Everything that goes into a handshake stands in a `Side`, whose fields a
test changes to lie.
"""
import hashlib
import os
import socket
import threading
import time

from . import bencode, peer
from .noise import HandshakeState, Refused, decrypt, encrypt, public_key, rekeyed
from .records import Identity, verify

MAGIC = b"\x14SecPeer"
OPEN, PRIVATE = 0, 1
NAMES = {OPEN: "Noise_XX_25519_ChaChaPoly_SHA256", PRIVATE: "Noise_XXpsk0+psk3_25519_ChaChaPoly_SHA256"}
STATUS = {1: "version", 2: "suite", 3: "mode", 4: "busy"}
DATA, CLOSE, PADDING = 0, 1, 2
NORMAL, PROTOCOL, SWARM, TRUST, CERTIFICATE, DUPLICATE, SELF, LIMIT, DOWNGRADE = range(9)
#: Three blocks with their headers.
MOST_DATA = 49_191
REKEY_EVERY = 65_536
DAY = 86_400
#: How far a certificate may end in the past or begin in the future.
CLOCK_TOLERANCE = 3600
#: Reserved bits of a client with BEP 10 and BEP 6.
RESERVED = bytes.fromhex("0000000000100004")


def swarm_tag(info_hash):
    return hashlib.blake2b(info_hash, digest_size=20, key=b"SecPeer v1 swarm").digest()


def certificate(identity, static, not_before=None, not_after=None):
    """What binds an X25519 key to an identity; a week long unless told otherwise."""
    not_before = int(time.time()) if not_before is None else not_before
    not_after = not_before + 7 * DAY if not_after is None else not_after
    signed = b"SPC1" + identity.public + static + not_before.to_bytes(8, "big") + not_after.to_bytes(8, "big")
    return signed + identity.sign(b"SecPeer v1 static key certificate\0" + signed)


def checked(cert, static, own=None, now=None):
    """The identity that a certificate proves, checked in the order of the design."""
    now = int(time.time()) if now is None else now
    if len(cert) != 148 or cert[:4] != b"SPC1":
        raise Refused("peer certificate: malformed")
    not_before, not_after = int.from_bytes(cert[68:76], "big"), int.from_bytes(cert[76:84], "big")
    if not_before >= not_after or not_after - not_before > 30 * DAY:
        raise Refused("peer certificate: validity")
    if not not_before - CLOCK_TOLERANCE <= now <= not_after + CLOCK_TOLERANCE:
        raise Refused("peer certificate: not valid at local time")
    if cert[36:68] != static:
        raise Refused("peer certificate: for another key")
    if not verify(cert[4:36], cert[84:], b"SecPeer v1 static key certificate\0" + cert[:84]):
        raise Refused("peer certificate: signature")
    if cert[4:36] == own:
        raise Refused("connected to self")
    return cert[4:36]


def strict(payload):
    """A payload as the design has it: a canonical dictionary with the fields that are always there."""
    value = bencode.decode(payload)
    if bencode.encode(value) != payload:
        raise Refused("payload is not canonical")
    if len(value[b"f"]) != 8 or len(value.get(b"v", b"")) > 32:
        raise Refused("payload field")
    return value


class Side:
    """What one side brings to a handshake. A field that a test sets goes out as it is."""

    def __init__(self, info_hash=None, identity=None, psk=None, static=None, ephemeral=None, listen=6881, **fields):
        self.identity = identity or Identity()
        self.static = static or os.urandom(32)
        self.ephemeral = ephemeral
        self.psk, self.info_hash, self.listen = psk, info_hash, listen
        self.version, self.suite, self.mode, self.byte_11 = 1, 1, PRIVATE if psk else OPEN, 0
        self.static_public = self.ephemeral_public = None   # lies, if any
        self.now = None                                     # Unix seconds by a clock of its own, if any
        self.minds_itself = True                            # whether it refuses its own key
        self.certificate = certificate(self.identity, public_key(self.static))
        self.payload = None                                 # instead of the one made of the fields below
        self.fields = {"f": RESERVED, "v": "Speaker 1", **fields}

    def noise(self, is_initiator, header):
        state = HandshakeState(NAMES[PRIVATE if self.psk else OPEN], is_initiator, header, self.static, self.ephemeral,
                               [self.psk, self.psk] if self.psk else [])
        state.s_public = self.static_public or state.s_public
        state.e_public = self.ephemeral_public or state.e_public
        return state

    def payload_bytes(self, is_initiator):
        if self.payload is not None:
            return self.payload
        own = {"l": self.listen, "s": swarm_tag(self.info_hash)} if is_initiator else {}
        return bencode.encode({"c": self.certificate, **own, **self.fields})

    def header(self):
        size = 48 if self.psk else 32
        return MAGIC + bytes([self.version, self.suite, self.mode, self.byte_11]) + size.to_bytes(2, "big")


class Handshake:
    """One side of the three messages, byte strings in and out."""

    def __init__(self, side):
        self.side, self.their_key, self.theirs = side, None, None

    # The initiator.

    def hello(self):
        header = self.side.header()
        self.noise = self.side.noise(True, header)
        return header + self.noise.write(b"")

    def read_answer(self, noise):
        self._believe(self.noise.read(noise))

    def finish(self):
        noise = self.noise.write(self.side.payload_bytes(True))
        return len(noise).to_bytes(2, "big") + noise

    # The responder.

    def read_hello(self, hello):
        self.noise = self.side.noise(False, hello[:14])
        if self.noise.read(hello[14:]):
            raise Refused("message 1 has a payload")

    def answer(self):
        noise = self.noise.write(self.side.payload_bytes(False))
        return b"\0" + len(noise).to_bytes(2, "big") + noise

    def read_finish(self, noise):
        self._believe(self.noise.read(noise))
        if not 1 <= self.theirs[b"l"] <= 65535 or len(self.theirs[b"s"]) != 20:
            raise Refused("payload field")

    def _believe(self, payload):
        self.theirs = strict(payload)
        own = self.side.identity.public if self.side.minds_itself else None
        self.their_key = checked(self.theirs[b"c"], self.noise.rs, own, self.side.now)

    def session(self):
        to_responder, to_initiator = self.noise.split()
        keys = (to_responder, to_initiator) if self.noise.is_initiator else (to_initiator, to_responder)
        return Session(*keys, self.noise.h)


class Session:
    """Records, both ways: `k` and `n` of each direction."""

    def __init__(self, sending, receiving, binding=b""):
        self.sending, self.receiving, self.binding = sending, receiving, binding
        self.sent = self.received = 0

    def seal(self, kind, body):
        if self.sent and self.sent % REKEY_EVERY == 0:
            self.sending = rekeyed(self.sending)
        ciphertext = encrypt(self.sending, self.sent, b"", bytes([kind]) + body)
        self.sent += 1
        return len(ciphertext).to_bytes(2, "big") + ciphertext

    def open(self, ciphertext):
        if self.received and self.received % REKEY_EVERY == 0:
            self.receiving = rekeyed(self.receiving)
        plaintext = decrypt(self.receiving, self.received, b"", ciphertext)
        self.received += 1
        return plaintext[0], plaintext[1:]


class ClosedFor(peer.Closed):
    """The other side closed the session and said why."""

    def __init__(self, reason, text):
        super().__init__(f"close record, reason {reason}: {text!r}")
        self.reason, self.text = reason, text


class Truncated(peer.Closed):
    """The other side closed the connection without a close record."""


class Wire(peer.Wire):
    """BitTorrent messages over SPS/1, with the words of a plain wire. The handshake of BEP 3 is in the payloads."""

    def __init__(self, sock, side):
        super().__init__(sock)
        self.side, self.exchange, self.session = side, Handshake(side), None
        self.status = None
        self._stream = b""
        self._sealing = threading.Lock()

    # The handshake.

    def initiate(self, expected=None):
        self.send_raw(self.exchange.hello())
        self.exchange.read_answer(self.read_answer_bytes())
        if expected and self.exchange.their_key != expected:
            raise Refused("another identity")
        self.send_raw(self.exchange.finish())
        self.session = self.exchange.session()
        return self

    def read_answer_bytes(self):
        """The Noise part of message 2; a status other than 0 raises."""
        self.status = self.receive_raw(1)[0]
        size = int.from_bytes(self.receive_raw(2), "big")
        if self.status:
            raise peer.Closed(f"status {self.status} ({STATUS.get(self.status)}), length {size}")
        return self.receive_raw(size)

    def respond(self, first=b""):
        """`first`: what was read already."""
        header = first + self.receive_raw(14 - len(first))
        if header[:8] != MAGIC or header[8:10] != b"\1\1":
            raise peer.Closed(f"not a hello: {header!r}")
        self.exchange.read_hello(header + self.receive_raw(int.from_bytes(header[12:14], "big")))
        self.send_raw(self.exchange.answer())
        self.exchange.read_finish(self.receive_raw(int.from_bytes(self.receive_raw(2), "big")))
        self.session = self.exchange.session()
        return self

    @property
    def their_key(self):
        return self.exchange.their_key

    # The words of a plain wire.

    def handshake(self, info_hash, extensions=True):
        """There is none."""

    def receive_handshake(self):
        self.respond()
        if self.exchange.theirs[b"s"] != swarm_tag(self.side.info_hash):
            self.close(SWARM)
            raise peer.Closed("another swarm")
        return self.side.info_hash

    def receive(self, size):
        while len(self._stream) < size:
            kind, body = self.next_record()
            if kind == DATA:
                self._stream += body
            elif kind == CLOSE:
                raise ClosedFor(body[0], body[1:].decode(errors="replace"))
        data, self._stream = self._stream[:size], self._stream[size:]
        return data

    def send(self, data):
        with self._sealing:
            for at in range(0, len(data), MOST_DATA):
                self.send_raw(self.session.seal(DATA, data[at:at + MOST_DATA]))

    def close(self, reason=NORMAL, text=b""):
        try:
            if self.session:
                with self._sealing:
                    self.send_raw(self.session.seal(CLOSE, bytes([reason]) + text))
        except peer.Closed:
            pass
        super().close()

    # Records and bytes.

    def next_record(self):
        try:
            size = int.from_bytes(self.receive_raw(2), "big")
            return self.session.open(self.receive_raw(size))
        except peer.EndOfStream as error:
            raise Truncated(str(error)) from error

    def send_raw(self, data):
        super().send(data)

    def receive_raw(self, size):
        return super().receive(size)

    def drop(self):
        """Ends the connection without a close record."""
        super().close()


def dial(address, info_hash, expected=None, source=None, **fields):
    """Connects to a sharer and shakes hands; the words are those of `peer.dial`."""
    side = fields.pop("side", None) or Side(info_hash, **fields)
    sock = socket.create_connection(address, 5, source_address=source and (source, 0))
    wire = Wire(sock, side)
    try:
        return wire.initiate(expected)
    except BaseException:
        wire.drop()
        raise


class SecureSeeder(peer.Seeder):
    """Listens and serves a torrent over SPS/1 alone; hostile seeders mix this in."""

    def __init__(self, torrent, host="127.0.0.1", port=0, **fields):
        self.side_fields = fields
        self.identity = fields.setdefault("identity", Identity())
        super().__init__(torrent, host, port)

    def new_side(self):
        return Side(self.torrent.info_hash, **self.side_fields)

    def new_wire(self, sock):
        return Wire(sock, self.new_side())


class EitherSeeder(SecureSeeder):
    """Answers in what it was greeted with, and says in plain that it speaks SPS/1 (`sp`)."""

    says_so = True

    def new_wire(self, sock):
        first = sock.recv(1, socket.MSG_PEEK)
        return super().new_wire(sock) if first == MAGIC[:1] else peer.Wire(sock)

    def extensions(self):
        return {"sp": {"k": self.identity.public, "v": 1}} if self.says_so else {}
