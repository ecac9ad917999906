"""What other clients make of shoal's own queries (secure-peer.md, section 2): nothing, and it does them no harm."""
import itertools
import os
import socket
import threading

import clients
from harness import bencode
from harness.process import until
from harness.runner import long
from test_clients import Interop as _Interop

INFO_HASH = bytes.fromhex("0123456789abcdef0123456789abcdef01234567")
PUBLIC = bytes.fromhex("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8")
# The record of the design's known answer.
SIGNATURE = bytes.fromhex("dc2d384a908da3974fcf6b2c6ed377188e1ba748d340eea1be9df8ac119b26f5"
                          "f6c1323ee674ee80fcf757fb85bc7fecde6deb0684c79a5e582383a3650bd40c")
VALUE = {"c": 100000, "e": bytes.fromhex("7c1f4b151ae1"), "f": 3, "h": b"\x01", "n": 100000, "p": 6881, "t": 3600,
         "u": 1, "v": 1}


def padded(query, size):
    """The query with as much `z` as makes it `size` bytes long."""
    query["a"]["z"] = b""
    query["a"]["z"] = bytes(max(0, size - len(bencode.encode(query)) - 2))
    return query


def our_queries(id):
    """Queries as a shoal node sends them, without the transaction, and a ping that everybody answers."""
    def query(name, **arguments):
        return {"q": name, "y": "q", "v": b"sw\x00\x01", "t": b"0000", "a": {"id": id, **arguments}}
    return {
        "sp_id": padded(query("sp_id", n=os.urandom(32)), 233),
        "get_have": padded(query("get_have", info_hash=INFO_HASH, x=[PUBLIC[:4]]), 350),
        "put_have": query("put_have", info_hash=INFO_HASH, k=PUBLIC, seq=1700000000000, sig=SIGNATURE,
                          token=b"12345678", v=VALUE),
        "ping": query("ping"),
    }


class Pesterer:
    """Sends all of them to one client, again and again, and keeps the answers by query."""

    #: Seconds between two queries: under what libtorrent takes from one address.
    pause = 0.5

    def __init__(self, ip, port):
        self.target = (ip, port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((clients.new_address(), 0))
        self.socket.settimeout(self.pause)
        self.asked = {}     # transaction -> name of the query
        self.counts = {}    # name -> how often it was sent
        self.answers = {}   # name -> messages
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        self._stopped.set()
        self._thread.join(5)
        self.socket.close()

    def _run(self):
        queries = our_queries(os.urandom(20))
        for name in itertools.cycle(queries):
            if self._stopped.is_set():
                return
            tid = os.urandom(4)
            self.asked[tid] = name
            self.counts[name] = self.counts.get(name, 0) + 1
            try:
                self.socket.sendto(bencode.encode({**queries[name], "t": tid}), self.target)
                while True:
                    message = bencode.decode(self.socket.recvfrom(65536)[0])
                    known = self.asked.get(message.get(b"t"))
                    if known:
                        self.answers.setdefault(known, []).append(message)
            except (OSError, ValueError):
                continue  # Nobody answered within the pause, or it was no answer.


def pestered(client, case):
    """A kind of client whose every process is asked our queries from its start to the end of the test."""
    class Pestered(client):
        def run(self, argv, **options):
            super().run(argv, **options)
            case.pesterer = Pesterer(self.ip, self.port)
            case.addCleanup(case.pesterer.close)

        def fetch(self, what, folder):
            # aria2 would end with the transfer, and be asked no more.
            super().fetch(what, folder, **({"keep_seeding": True} if client is clients.Aria2 else {}))
    return Pestered


class OwnQueryTests(_Interop):
    def check(self, silent):
        """The other client is there still, and answered as the design says."""
        answers, counts = self.pesterer.answers, self.pesterer.counts
        pings, rounds = len(answers.get("ping", [])), counts.get("ping", 0)
        until(lambda: counts.get("ping", 0) >= rounds + 3 and len(answers.get("ping", [])) > pings + 1, 30,
              "an answer to a ping behind all our queries", self.logs)
        if silent:
            self.assertEqual(set(answers), {"ping"})
            return
        # "unknown message"
        for message in answers["sp_id"]:
            self.assertEqual((message[b"y"], message[b"e"][0]), (b"e", 203), message)
        # As `find_node`, for the sake of the info-hash.
        for message in answers["get_have"] + answers["put_have"]:
            self.assertEqual(message[b"y"], b"r", message)
            self.assertIn(b"nodes", message[b"r"])
            self.assertFalse({b"token", b"recs", b"c"} & set(message[b"r"]), message)

    def gives(self, client, silent):
        self.require(client)
        self.gives_to_shoal(pestered(client, self))
        self.check(silent)

    def takes(self, client, silent):
        self.require(client)
        self.takes_from_shoal(pestered(client, self), by_magnet=False)
        self.check(silent)

    def test_libtorrent_gives(self):
        """libtorrent answers get_have and put_have like find_node and sp_id with 203, and gives its file all the while"""
        self.gives(clients.Libtorrent, silent=False)

    def test_libtorrent_takes(self):
        """libtorrent takes a file while it is asked what it does not know"""
        self.takes(clients.Libtorrent, silent=False)

    def test_aria2_gives(self):
        """aria2 is silent to our queries, and gives its file all the while"""
        self.gives(clients.Aria2, silent=True)

    def test_aria2_takes(self):
        """aria2 takes a file while it is asked what it does not know"""
        self.takes(clients.Aria2, silent=True)

    @long
    def test_transmission_gives(self):
        """Transmission is silent to our queries, and gives its file all the while"""
        self.gives(clients.Transmission, silent=True)

    @long
    def test_transmission_takes(self):
        """Transmission takes a file while it is asked what it does not know"""
        self.takes(clients.Transmission, silent=True)
