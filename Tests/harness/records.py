"""Identities, signed records, and a node that keeps them (secure-peer.md, sections 1 and 2), written apart from the program."""
import base64
import ctypes
import hashlib
import os
import time

from . import bencode, dht

_sodium = ctypes.CDLL("libsodium.so.23")
_sodium.sodium_init()

#: What shoal nodes call themselves.
CLIENT = b"sw\x00\x01"


class Identity:
    """A key that signs, on loopback."""

    def __init__(self, seed=None):
        public, secret = ctypes.create_string_buffer(32), ctypes.create_string_buffer(64)
        _sodium.crypto_sign_seed_keypair(public, secret, seed or os.urandom(32))
        self.public, self._secret = public.raw, secret.raw

    @classmethod
    def of_state(cls, folder):
        """The identity of the shoal that goes by this state folder."""
        with open(os.path.join(folder, "identity.key"), "rb") as f:
            return cls(bencode.decode(f.read())[b"s"])

    def sign(self, message):
        signature = ctypes.create_string_buffer(64)
        _sodium.crypto_sign_detached(signature, None, message, ctypes.c_ulonglong(len(message)), self._secret)
        return signature.raw

    @property
    def node_id(self):
        return hashlib.blake2b(self.public, digest_size=20, key=b"SecPeer v1 nodeid").digest()

    @property
    def text(self):
        return text(self.public)


def text(public):
    """A key as people see it."""
    check = hashlib.blake2b(public, digest_size=32).digest()[:2]
    return "sp1-" + base64.b32encode(public + check).decode().lower().rstrip("=")


def key(shown):
    """The key that people see as `shown`."""
    body = shown.removeprefix("sp1-").upper()
    return base64.b32decode(body + "=" * (-len(body) % 8))[:32]


def verify(public, signature, message):
    return _sodium.crypto_sign_verify_detached(signature, message, ctypes.c_ulonglong(len(message)), public) == 0


def now():
    return int(time.time() * 1000)


def signed(info_hash, seq, value):
    """What the signature of a record covers."""
    return b"4:salt24:sp1h" + info_hash + b"3:seqi%de1:v" % seq + value


def value(port, count, held=None, blob=b"\x01", **fields):
    """The bencoded value of a record; one of a seed unless it is told otherwise."""
    return bencode.encode({"c": count if held is None else held, "f": 2, "h": blob, "n": count, "p": port, "t": 3600,
                           "u": 0, "v": 1, **fields})


def record(identity, info_hash, content, seq=None, source=None):
    """A record as `get_have` hands it on; `source` is who put it there, by the word of the node that hands it on."""
    seq = now() if seq is None else seq
    entry = {"k": identity.public, "seq": seq, "sig": identity.sign(signed(info_hash, seq, content)),
             "v": bencode.decode(content)}
    return {**entry, "a": dht.compact(source)} if source else entry


class Node(dht.Node):
    """A node of shoal's kind: it proves its key, takes records, and hands on those it has."""

    def __init__(self, host="127.0.0.1", port=0, identity=None):
        self.identity = identity or Identity()
        self.records = {}     # info-hash -> list of records
        self.put = []         # (arguments, sender)
        super().__init__(host, port)
        self.id = self.identity.node_id

    def answer(self, method, arguments, sender):
        if method == b"sp_id":
            message = b"SecPeer v1 node binding\x00" + arguments[b"n"] + self.id + dht.compact(sender)
            return {"id": self.id, "k": self.identity.public, "sig": self.identity.sign(message)}
        if method == b"get_have":
            held = self.records.get(arguments[b"info_hash"], [])
            return {**super().answer(b"find_node", arguments, sender), "token": b"tok", "c": len(held), "recs": held}
        if method == b"put_have":
            self.put.append((arguments, sender))
            return {"id": self.id}
        return super().answer(method, arguments, sender)

    def reply(self, message, sender, body):
        self.socket.sendto(bencode.encode(
            {"ip": dht.compact(sender), "t": message[b"t"], "y": "r", "v": CLIENT, "r": body}), sender)
