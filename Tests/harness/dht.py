"""A small DHT node in Python: asks questions, answers them, and lies where a subclass says so."""
import hashlib
import os
import socket
import threading

from . import bencode


def compact(address):
    return socket.inet_aton(address[0]) + address[1].to_bytes(2, "big")


def expand(data):
    return socket.inet_ntoa(data[:4]), int.from_bytes(data[4:6], "big")


def parse(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def identifier(host):
    """An identifier that BEP 42 allows a node at this address: no announce goes to a public one that has another."""
    first = os.urandom(1)[0] & 7
    masked = bytearray(byte & mask for byte, mask in zip(socket.inet_aton(host), b"\x03\x0f\x3f\xff"))
    masked[0] |= first << 5
    crc = 0xFFFFFFFF
    for byte in masked:
        crc ^= byte
        for _ in range(8):
            # CRC-32C, reflected.
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    head = (crc ^ 0xFFFFFFFF).to_bytes(4, "big")
    return head[:2] + bytes([head[2] & 0xF8 | os.urandom(1)[0] & 7]) + os.urandom(16) + bytes([first])


class Node:
    """Answers on a thread of its own; `ask` may be called from any."""

    def __init__(self, host="127.0.0.1", port=0):
        self.id = hashlib.sha1(os.urandom(8)).digest()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, port))
        self.socket.settimeout(0.2)
        self.address = self.socket.getsockname()
        self.nodes = {}       # id -> address
        self.stored = {}      # info-hash -> set of addresses
        self.queries = []     # (method, arguments, sender)
        self._waiting = {}
        self._stopped = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def text(self):
        return "%s:%d" % self.address

    def close(self):
        self._stopped = True
        self._thread.join(2)
        self.socket.close()

    def ask(self, to, method, seconds=3, **arguments):
        """The `r` of the answer, the whole message if it is an error, or None when nobody answers."""
        tid = os.urandom(4)
        slot = self._waiting[tid] = [threading.Event(), None]
        query = {"t": tid, "y": "q", "q": method, "a": {"id": self.id, **arguments}}
        for _ in range(3):
            self.socket.sendto(bencode.encode(query), to)
            if slot[0].wait(seconds / 3):
                break
        self._waiting.pop(tid, None)
        if slot[1] is None:
            return None
        return slot[1].get(b"r", slot[1])

    def peers(self, to, info_hash):
        """The peers that one node knows, and its token."""
        answer = self.ask(to, "get_peers", info_hash=info_hash) or {}
        return [expand(v) for v in answer.get(b"values", [])], answer.get(b"token")

    def announce(self, to, info_hash, port):
        """Announces a peer on our address and `port` at one node."""
        _, token = self.peers(to, info_hash)
        if token is None:
            raise AssertionError("the node handed out no token")
        return self.ask(to, "announce_peer", info_hash=info_hash, port=port, token=token)

    def closest(self, target, count=8):
        def distance(node):
            return int.from_bytes(node, "big") ^ int.from_bytes(target, "big")
        return sorted(list(self.nodes), key=distance)[:count]

    def answer(self, method, arguments, sender):
        """The `r` of a reply, or None for silence. Subclasses lie here."""
        target = arguments.get(b"target") or arguments.get(b"info_hash") or self.id
        nodes = b"".join(i + compact(self.nodes[i]) for i in self.closest(target))
        if method == b"ping":
            return {"id": self.id}
        if method == b"find_node":
            return {"id": self.id, "nodes": nodes}
        if method == b"get_peers":
            values = [compact(a) for a in self.stored.get(arguments.get(b"info_hash"), ())]
            return {"id": self.id, "token": b"tok", "nodes": nodes, **({"values": values} if values else {})}
        if method == b"announce_peer":
            port = sender[1] if arguments.get(b"implied_port") else arguments[b"port"]
            self.stored.setdefault(arguments[b"info_hash"], set()).add((sender[0], port))
            return {"id": self.id}
        return None

    def reply(self, message, sender, body):
        self.socket.sendto(bencode.encode({"t": message[b"t"], "y": "r", "r": body}), sender)

    def _serve(self):
        while not self._stopped:
            try:
                data, sender = self.socket.recvfrom(65536)
            except OSError:
                continue
            try:
                message = bencode.decode(data)
                self._received(message, sender)
            except (ValueError, KeyError, TypeError, AttributeError, IndexError, OSError):
                continue

    def _received(self, message, sender):
        if message.get(b"y") == b"q":
            arguments = message[b"a"]
            self.queries.append((message[b"q"], arguments, sender))
            self.nodes.setdefault(arguments[b"id"], sender)
            body = self.answer(message[b"q"], arguments, sender)
            if body is not None:
                self.reply(message, sender, body)
            return
        slot = self._waiting.get(message[b"t"])
        if slot:
            slot[1] = message
            slot[0].set()
