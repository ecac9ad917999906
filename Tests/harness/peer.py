"""A small BitTorrent peer in Python: an honest seeder whose subclasses are hostile, and a client to poke a sharer."""
import os
import socket
import struct
import threading
import time

from . import bencode

CHOKE, UNCHOKE, INTERESTED, NOT_INTERESTED, HAVE, BITFIELD, REQUEST, PIECE, CANCEL = range(9)
EXTENDED = 20
METADATA_ID = 3


class Closed(Exception):
    """The other side closed the connection."""


class EndOfStream(Closed):
    """The other side sent its last byte."""


class Wire:
    """Framing over one socket."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(15)
        self.their_metadata_id = 0
        self.metadata_size = 0
        self.their_extensions = {}
        self._lock = threading.Lock()

    def receive(self, size):
        data = b""
        while len(data) < size:
            try:
                chunk = self.sock.recv(size - len(data))
            except OSError as error:
                raise Closed(str(error)) from error
            if not chunk:
                raise EndOfStream("end of stream")
            data += chunk
        return data

    def send(self, data):
        try:
            with self._lock:
                self.sock.sendall(data)
        except OSError as error:
            raise Closed(str(error)) from error

    def handshake(self, info_hash, extensions=True):
        reserved = bytes(5) + (b"\x10" if extensions else b"\0") + bytes(2)
        self.send(b"\x13BitTorrent protocol" + reserved + info_hash + b"-PY0001-" + os.urandom(12))

    def receive_handshake(self):
        """The info-hash of the other side's handshake."""
        data = self.receive(68)
        if data[:20] != b"\x13BitTorrent protocol":
            raise Closed(f"no handshake: {data[:20]!r}")
        return data[28:48]

    def message(self, kind, payload=b""):
        self.send(struct.pack(">IB", len(payload) + 1, kind) + payload)

    def next(self):
        """The next message as (kind, payload); keep-alives are skipped."""
        while True:
            size, = struct.unpack(">I", self.receive(4))
            if size:
                data = self.receive(size)
                return data[0], data[1:]

    def extended_handshake(self, metadata_size=0, **fields):
        body = {"m": {"ut_metadata": METADATA_ID}, "v": "Speaker 1", "reqq": 250, **fields}
        if metadata_size:
            body["metadata_size"] = metadata_size
        self.message(EXTENDED, b"\0" + bencode.encode(body))

    def note_extended_handshake(self, payload):
        body = self.their_extensions = bencode.decode_prefix(payload)[0]
        self.their_metadata_id = body.get(b"m", {}).get(b"ut_metadata", 0)
        self.metadata_size = body.get(b"metadata_size", 0)

    def is_closed(self, seconds=10):
        """Whether the other side hangs up within `seconds`; what it says until then is thrown away."""
        deadline = time.monotonic() + seconds
        self.sock.settimeout(0.2)
        while time.monotonic() < deadline:
            try:
                if not self.sock.recv(65536):
                    return True
            except TimeoutError:
                continue
            except OSError:
                return True
        return False

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


def dial(address, info_hash, extensions=True):
    """Connects to a sharer as a plain client and shakes hands."""
    wire = Wire(socket.create_connection(address, 5))
    wire.handshake(info_hash, extensions)
    if wire.receive_handshake() != info_hash:
        raise AssertionError("the sharer answered with another info-hash")
    return wire


def request(index, begin, length):
    return struct.pack(">III", index, begin, length)


class Seeder:
    """Listens and serves a torrent honestly. A hostile peer overrides the step at which it lies."""

    def __init__(self, torrent, host="127.0.0.1", port=0):
        self.torrent = torrent
        self.listener = socket.create_server((host, port))
        self.address = self.listener.getsockname()
        self.connections = 0
        self.hung_up = threading.Event()
        self.requests = []
        self._wires = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def text(self):
        return "%s:%d" % self.address

    @property
    def port(self):
        return self.address[1]

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept; close alone would not
        except OSError:
            pass
        self.listener.close()
        for wire in self._wires:
            wire.close()

    # The steps.

    def new_wire(self, sock):
        """What is spoken on a connection that was accepted; it may wait for the first byte."""
        return Wire(sock)

    def extensions(self):
        """What else is in the extension handshake."""
        return {}

    def metadata_size(self):
        return len(self.torrent.info_bytes)

    def metadata_piece(self, index):
        return self.torrent.info_bytes[index * 16384:(index + 1) * 16384]

    def bitfield(self):
        count = self.torrent.piece_count
        bits = (1 << count) - 1 << (-count % 8)
        return bits.to_bytes(-(-count // 8), "big")

    def block(self, index, begin, length):
        return self.torrent.piece(index)[begin:begin + length]

    def greet(self, wire):
        """From the other side's handshake to the bitfield."""
        wire.handshake(self.torrent.info_hash)
        wire.extended_handshake(self.metadata_size(), **self.extensions())
        if self.torrent.piece_count:
            wire.message(BITFIELD, self.bitfield())

    def serve(self, wire):
        while True:
            kind, payload = wire.next()
            if kind == INTERESTED:
                wire.message(UNCHOKE)
            elif kind == REQUEST:
                index, begin, length = struct.unpack(">III", payload)
                self.requests.append((index, begin, length))
                self.answer_request(wire, index, begin, length)
            elif kind == EXTENDED:
                self.extended(wire, payload[0], payload[1:])

    def answer_request(self, wire, index, begin, length):
        wire.message(PIECE, struct.pack(">II", index, begin) + self.block(index, begin, length))

    def extended(self, wire, kind, payload):
        if kind == 0:
            wire.note_extended_handshake(payload)
        elif kind == METADATA_ID:
            asked = bencode.decode_prefix(payload)[0]
            if asked[b"msg_type"] == 0:
                header = {"msg_type": 1, "piece": asked[b"piece"], "total_size": self.metadata_size()}
                wire.message(EXTENDED, bytes([wire.their_metadata_id]) + bencode.encode(header)
                             + self.metadata_piece(asked[b"piece"]))

    # The plumbing.

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            threading.Thread(target=self._serve_one, args=(sock,), daemon=True).start()

    def _serve_one(self, sock):
        wire = self.new_wire(sock)
        self._wires.append(wire)
        self._run(wire)

    def _run(self, wire):
        try:
            if wire.receive_handshake() == self.torrent.info_hash:
                self.greet(wire)
                self.serve(wire)
        except (Closed, ValueError, KeyError):
            self.hung_up.set()
        finally:
            wire.close()
