"""A million datagrams that make no sense (hardening N7): the node lives, and answers the next ping at once."""
import os
import random
import socket
import time

from harness import bencode, dht
from harness.case import Case

COUNT = 1_000_000
# As many as the kernel surely queues for one socket; then a ping, whose answer says that all before it were read.
BURST = 120

ID, KEY = b"abcdefghij0123456789", b"mnopqrstuvwxyz123456"
REAL = [
    b"d1:ad2:id20:%se1:q4:ping1:t2:aa1:y1:qe" % ID,
    b"d1:ad2:id20:%s6:target20:%s4:wantl2:n42:n6ee1:q9:find_node2:roi1e1:t4:aaaa1:v4:LT011:y1:qe" % (ID, KEY),
    b"d1:ad2:id20:%s9:info_hash20:%se1:q9:get_peers1:t2:aa1:y1:qe" % (ID, KEY),
    b"d1:ad2:id20:%s12:implied_porti1e9:info_hash20:%s4:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe" % (ID, KEY),
    b"d1:ad2:id20:%s6:target20:%se1:q3:get1:t2:aa1:y1:qe" % (ID, KEY),
    b"d1:ad2:id20:%s1:k32:%s4:salt3:foo3:seqi4e3:sig64:%s5:token8:aoeusnth1:v12:Hello World!e1:q3:put1:t2:aa1:y1:qe"
    % (ID, bytes(range(32)), bytes(range(64))),
    b"d1:ad2:id20:%s6:target20:%se1:q17:sample_infohashes1:t2:aa1:y1:qe" % (ID, KEY),
    b"d2:ip6:\x7f\x00\x00\x01\x1a\xe11:rd2:id20:%s5:nodes26:%s\x7f\x00\x00\x01\x1a\xe15:token8:aoeusnth6:valuesl6:axje.uee1:t4:aaaa1:y1:re"
    % (ID, KEY),
    b"d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee",
]
# Each takes one number: lengths that lie, numbers past 64 bits, depth, types in the wrong places.
HOSTILE = [
    b"d1:ad2:id%d:x", b"d1:ad2:id20:" + ID + b"9:info_hashi%dee1:q9:get_peers1:t2:aa1:y1:qe", b"d1:t%d:aa1:y1:qe",
    b"d1:ad2:id20:" + ID + b"4:porti%d9999999999999999999ee1:q13:announce_peer1:t2:aa1:y1:qe", b"i%de", b"%d:",
    b"d1:ad2:id20:" + ID + b"e1:q%d:ping1:t2:aa1:y1:qe", b"d1:rd2:id20:" + ID + b"5:nodes%d:e1:t4:aaaa1:y1:re",
    b"d" * 600 + b"%d", b"l" * 1500 + b"%d", b"d1:ad1:vd" + b"1:al" * 200 + b"%d",
    b"d1:ad2:id20:" + ID + b"3:seqi-%de1:v0:e1:q3:put1:t2:aa1:y1:qe", b"d1:ad2:id20:" + ID + b"e1:q4:ping1:ti%de1:y1:qe",
    b"d1:q4:ping1:ad2:id20:" + ID + b"e1:y1:q1:t2:aa1:t2:%02x" b"e",
]


def datagrams(count, generator):
    """`count` of them, all different: random bytes, real ones with bytes changed, real ones cut, hostile ones."""
    noise = generator.randbytes(1 << 20)
    for number in range(count):
        chance = generator.getrandbits(64)
        kind = number % 4
        if kind == 0:
            start = chance % (len(noise) - 2100)
            # Beyond 2048 bytes a datagram is dropped unread; few are, so that most of the rest is looked at.
            yield noise[start:start + (chance >> 32) % (2100 if number % 64 == 0 else 200)]
        elif kind == 3:
            yield HOSTILE[chance % len(HOSTILE)] % (chance >> 8 >> (chance & 63))
        else:
            data = bytearray(REAL[chance % len(REAL)])
            place = (chance >> 8) % len(data)
            if kind == 1:
                data[place] = chance >> 24 & 255
                data[(chance >> 32) % len(data)] = 48 + (chance >> 48) % 10
            else:
                del data[place:]
                data += noise[(chance >> 40) & 0xFFFF:][:(chance >> 56) & 7]
            yield data


def kernel_drops(port):
    """Datagrams that the kernel dropped at the socket on 127.0.0.1:port, because its queue was full."""
    with open("/proc/net/udp") as table:
        for line in table:
            fields = line.split()
            if fields[1] == "0100007F:%04X" % port:
                return int(fields[-1])
    raise AssertionError("the node has no socket")


class RandomDatagrams(Case):
    def ping(self, sender, transaction):
        """Sends a ping and returns the seconds until its answer, passing over all other answers."""
        query = {"t": transaction, "y": "q", "q": "ping", "ro": 1, "a": {"id": ID}}
        began = time.monotonic()
        sender.send(bencode.encode(query))
        while True:
            reply = sender.recv(4096)
            if b"1:t4:" + transaction in reply and b"1:y1:r" in reply:
                return time.monotonic() - began
            self.answers += 1

    def test_a_million_datagrams_without_sense(self):
        seed = int.from_bytes(os.urandom(4), "big")
        node = self.node()
        host, port = dht.parse(node.address)
        self.answers = sent = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, self.subTest(seed=seed):
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            sender.connect((host, port))
            sender.settimeout(20)
            for datagram in datagrams(COUNT, random.Random(seed)):
                sender.send(datagram)
                sent += 1
                if sent % BURST == 0:
                    self.ping(sender, sent.to_bytes(4, "big"))
            seconds = min(self.ping(sender, b"end%d" % attempt) for attempt in range(3))
        self.assertIsNone(node.code, node.log())
        self.assertEqual(kernel_drops(port), 0)
        # Many of the changed ones are still queries, and answered, if only with an error.
        self.assertGreater(self.answers, COUNT / 100)
        self.assertLess(seconds, 0.1)
        self.assertEqual(node.stderr(), "")
