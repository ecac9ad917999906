"""The DHT node: answers, joins, remembers, waits; and the questions of `shoal dht`."""
import json
import os
import signal
import socket
import threading
import time

from harness import bencode, dht, files
from harness.case import Case, closed_port
from harness.peer import Seeder
from harness.process import until
from harness.torrent import Torrent

KEY = bytes(range(20))


class Silent:
    """A bootstrap node that is dead: it takes datagrams, notes when, and never answers."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.2)
        self.text = "%s:%d" % self.socket.getsockname()
        self.times, self.open = [], True
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        while self.open:
            try:
                self.socket.recvfrom(2048)
                self.times.append(time.monotonic())
            except OSError:
                continue

    def close(self):
        self.open = False
        self.thread.join(2)
        self.socket.close()


class AnswerTests(Case):
    def setUp(self):
        super().setUp()
        self.shoal_node = self.node()
        self.to = dht.parse(self.shoal_node.address)
        self.asker = self.speaker(dht.Node)

    def raw(self, data, seconds=0.5):
        """The decoded reply to one datagram, or None."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(seconds)
            s.sendto(data, self.to)
            try:
                return bencode.decode(s.recv(4096))
            except TimeoutError:
                return None

    def test_four_queries(self):
        """ping, find_node, get_peers and announce_peer are answered as BEP 5 says"""
        node_id = bytes.fromhex(self.shoal_node.last("listening")["node_id"])
        self.assertEqual(self.asker.ask(self.to, "ping")[b"id"], node_id)
        found = self.asker.ask(self.to, "find_node", target=KEY)
        self.assertEqual(len(found[b"nodes"]) % 26, 0)
        asked = self.asker.ask(self.to, "get_peers", info_hash=KEY)
        self.assertTrue(asked[b"token"])
        self.assertNotIn(b"values", asked)
        self.assertEqual(self.asker.announce(self.to, KEY, 7777)[b"id"], node_id)
        self.assertEqual(self.asker.peers(self.to, KEY)[0], [("127.0.0.1", 7777)])
        token = self.asker.peers(self.to, KEY)[1]
        self.asker.ask(self.to, "announce_peer", info_hash=KEY, port=1, implied_port=1, token=token)
        self.assertIn(self.asker.address, self.asker.peers(self.to, KEY)[0])

    def test_refused_queries(self):
        """a wrong token, port 0 and an unknown method get their BEP 5 error and store nothing"""
        _, token = self.asker.peers(self.to, KEY)
        for arguments, code in (({"port": 7777, "token": b"wrong"}, 203), ({"port": 0, "token": token}, 203)):
            answer = self.asker.ask(self.to, "announce_peer", info_hash=KEY, **arguments)
            self.assertEqual((answer[b"y"], answer[b"e"][0]), (b"e", code))
        self.assertEqual(self.asker.peers(self.to, KEY)[0], [])
        self.assertEqual(self.asker.ask(self.to, "no_such_method")[b"e"][0], 204)

    def test_garbage(self):
        """random and malformed datagrams are survived, and a ping afterwards is answered"""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for seed in range(2000):
                s.sendto(files.bytes_from(seed, 1 + seed % 1400), self.to)
            for data in (b"", b"d", b"d1:a" * 300, b"l" * 1400, b"i99999999999999999999e", b"d1:ad2:id20:", b"\0" * 65000,
                         b"d1:q4:ping1:t2:aa1:y1:qe", b"d1:ad2:id3:abce1:q4:ping1:t2:aa1:y1:qe", b"d1:t2:aa1:y1:re"):
                s.sendto(data, self.to)
        self.assertIsNotNone(self.asker.ask(self.to, "ping"))
        self.assertIsNone(self.shoal_node.code)

    def test_short_identifiers(self):
        """queries with an identifier of the wrong length get an error or silence, never a reply"""
        for arguments in ({"id": b"short"}, {"id": b"x" * 21}):
            for method, extra in (("ping", {}), ("find_node", {"target": b"t" * 19}), ("get_peers", {"info_hash": b""})):
                answer = self.raw(bencode.encode({"t": "aa", "y": "q", "q": method, "a": {**arguments, **extra}}), 0.2)
                self.assertTrue(answer is None or answer[b"y"] == b"e", f"{method}: {answer}")


class JoinTests(Case):
    def known_nodes(self, address):
        """The IDs that the node at `address` names as the closest to anything."""
        asker = self.speaker(dht.Node)
        nodes = (asker.ask(dht.parse(address), "find_node", target=KEY) or {}).get(b"nodes", b"")
        return {nodes[at:at + 20].hex() for at in range(0, len(nodes), 26)}

    def test_network_forms(self):
        """nodes that know only the bootstrap node find each other"""
        first = self.node()
        nodes = [self.node(bootstrap=first.address) for _ in range(4)]
        ids = {n.last("listening")["node_id"] for n in nodes}
        self.assertEqual(len(ids), 4)
        until(lambda: ids <= self.known_nodes(first.address), 10, "the bootstrap node to know all four", self.logs)
        last = nodes[-1]
        others = ids - {last.last("listening")["node_id"]}
        until(lambda: others <= self.known_nodes(last.address), 10, "the last node to know the others", self.logs)
        self.assertTrue(nodes[0].event("dht", 10, where=lambda e: e["joined"])["nodes"] >= 1)

    def test_remembers(self):
        """a node whose bootstrap node is dead joins through the nodes that it remembers, with the same ID"""
        first = self.node()
        kept = self.path("kept")
        node = self.node(bootstrap=first.address, state=kept)
        node.event("dht", 10, where=lambda e: e["joined"])
        node.signal(signal.SIGTERM)
        self.assertEqual(node.wait(), 143)
        again = self.node(bootstrap=f"127.0.0.1:{closed_port()}", state=kept)
        self.assertEqual(again.last("listening")["node_id"], node.last("listening")["node_id"])
        first_id = first.last("listening")["node_id"]
        until(lambda: first_id in self.known_nodes(again.address), 15, "the node to rejoin through its memory", self.logs)

    def test_dead_bootstrap(self):
        """a dead bootstrap node is said on standard error and asked again with growing pauses"""
        dead = self.speaker(Silent)
        node = self.shoal("node", "--listen", "127.0.0.1:0", "--bootstrap", dead.text)
        until(lambda: len(dead.times) >= 3, 30, "a third try", self.logs)
        until(lambda: "bootstrap" in node.stderr().lower(), 15, "a word about bootstrap nodes", self.logs)
        first, second, third = dead.times[:3]
        self.assertGreaterEqual(third - second, (second - first) * 0.9, f"pauses: {second - first}, {third - second}")
        self.assertIsNone(node.code)

    def test_bootstrap_comes_late(self):
        """a bootstrap node that comes up later is found without a restart"""
        port = closed_port()
        node = self.node(bootstrap=f"127.0.0.1:{port}")
        self.assertIsNone(node.code)
        late = self.shoal("node", "--json", "--listen", f"127.0.0.1:{port}", "--bootstrap-file", self.empty_file)
        self.listening(late)
        node.event("dht", 40, where=lambda e: e["joined"])

    def test_fetch_times_out(self):
        """with a dead bootstrap node, fetch says so and --timeout ends it with exit 3"""
        started = time.monotonic()
        fetch = self.fetch(KEY.hex(), self.path("out"), "--timeout", "3", bootstrap=f"127.0.0.1:{closed_port()}")
        fetch.wait(15)
        self.assertGreater(time.monotonic() - started, 2.5)
        self.expect(fetch, 3, "bootstrap|no peer|nobody|no node")
        self.assertEqual(fetch.last("error")["exit"], 3)
        self.assertFalse(os.path.exists(self.path("out")))

    def test_nobody_has_it(self):
        """in a living network, an info-hash that nobody holds ends with exit 3 after --timeout"""
        network = self.node()
        fetch = self.fetch(KEY.hex(), self.path("out"), "--timeout", "2", bootstrap=network.address)
        fetch.wait(15)
        self.expect(fetch, 3, "peer|nobody")
        waiting = [p.get("waiting_for") for p in fetch.all("progress") if p.get("waiting_for")]
        self.assertTrue(waiting, "it never said what it waits for")

    def test_reply_from_the_wrong_address(self):
        """a DHT reply from another address than was asked is dropped, and the lookup goes on"""
        torrent = Torrent.of("right.bin", files.bytes_from(1, 100_000))
        trap = self.speaker(Seeder, torrent)
        right = self.speaker(Seeder, torrent)

        class Forged(dht.Node):
            """Answers get_peers twice: first, from another port, with a peer that must not be believed."""

            def reply(self, message, sender, body):
                if b"values" in body or "values" in body:
                    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                        other.bind(("127.0.0.1", 0))
                        forged = {**body, "values": [dht.compact(trap.address)]}
                        other.sendto(bencode.encode({"t": message[b"t"], "y": "r", "r": forged}), sender)
                super().reply(message, sender, body)

        router = self.speaker(Forged)
        router.stored[torrent.info_hash] = {right.address}
        self.fetched(torrent.hex, self.path("out.bin"), bootstrap=router.text)
        self.assertEqual(trap.connections, 0)
        self.assertGreater(right.connections, 0)


class QuestionTests(Case):
    """`shoal dht ...`"""

    def ask(self, *question, code=0):
        process = self.run_shoal("dht", *question, "--state", self.path("ask-state"), "--listen", "127.0.0.1:0")
        self.assertEqual(process.code, code, process.log())
        return process

    def lines(self, *question):
        out = self.ask(*question, "--json").stdout().decode()
        objects = [json.loads(line) for line in out.splitlines()]
        self.assertTrue(objects and all(isinstance(o, dict) and "event" in o for o in objects), out)
        return json.dumps(objects)

    def test_ping(self):
        """dht ping prints the node's ID; a silent node is exit 3"""
        node = self.node()
        node_id = node.last("listening")["node_id"]
        self.assertIn(node_id, self.ask("ping", node.address).stdout().decode())
        self.assertIn(node_id, self.lines("ping", node.address))
        silent = self.ask("ping", f"127.0.0.1:{closed_port()}", "--timeout", "1", code=3)
        self.expect(silent, 3)

    def test_find(self):
        """dht find prints the closest nodes"""
        first = self.node()
        other = self.node(bootstrap=first.address)
        other.event("dht", 10, where=lambda e: e["joined"])
        wanted = other.last("listening")["node_id"]
        self.assertIn(other.address, self.lines("find", wanted, "--bootstrap", first.address))
        self.assertIn(wanted, self.ask("find", wanted, "--bootstrap", first.address).stdout().decode())

    def test_get_peers(self):
        """dht get-peers prints who announced; nobody is exit 7 or 3"""
        first = self.node()
        source = files.random_file(self.path("source", "x.bin"), 1000)
        sharer = self.share(source, bootstrap=first.address)
        self.known_peers(first.address, sharer.info_hash)
        self.assertIn(sharer.address, self.lines("get-peers", sharer.info_hash, "--bootstrap", first.address))
        self.assertIn(sharer.address,
                      self.ask("get-peers", sharer.info_hash, "--bootstrap", first.address).stdout().decode())
        nobody = self.run_shoal("dht", "get-peers", KEY.hex(), "--bootstrap", first.address, "--listen", "127.0.0.1:0",
                                "--state", self.path("s"))
        self.assertIn(nobody.code, (3, 7), nobody.log())

    def test_table(self):
        """dht table prints the nodes of the routing table"""
        first = self.node()
        text = self.lines("table", "--bootstrap", first.address)
        self.assertIn(first.address, text)
        self.assertIn(first.last("listening")["node_id"], text)
