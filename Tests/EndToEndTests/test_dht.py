"""Values, counts and surveys in the DHT: `shoal dht put|get|scrape|have|sample|table|stats`, `--update` and its links."""
import hashlib
import os
import socket
import stat
import threading
import time

from harness import dht, files
from harness.case import Case, closed_port
from harness.peer import Seeder
from harness.torrent import Torrent

HELLO = hashlib.sha1(b"12:Hello World!").hexdigest()
UNKNOWN = "ab" * 20


class Network(Case):
    """A DHT of four nodes."""

    def setUp(self):
        super().setUp()
        self.first = self.node()
        self.nodes = [self.first] + [self.node(bootstrap=self.first.address) for _ in range(3)]
        for node in self.nodes:
            node.event("dht", 10, where=lambda e: e["joined"])

    def ask(self, *question, code=0, bootstrap=None, **options):
        # Where nobody is to answer, no remembered node may.
        state = self.path("alone" if bootstrap else "ask")
        process = self.run_shoal("dht", *question, "--state", state, "--listen", "127.0.0.1:0",
                                 "--bootstrap", bootstrap or self.first.address, seconds=30, **options)
        self.assertEqual(process.code, code, process.log())
        return process

    def objects(self, *question, event, **options):
        """The objects of one kind that a question prints; there are no others but those in `beside`."""
        process = self.ask(*question, "--json", **options)
        return [e for e in process.read_events() if e["event"] == event]

    def made_key(self, name="key"):
        path = self.path(name)
        self.ask("put", "made", "--key", path)
        return path


class ValueTests(Network):
    def test_immutable(self):
        """put prints the target of a text, and get prints the text; one that nobody has is exit 7"""
        put = self.ask("put", "Hello World!")
        self.assertEqual(put.stdout().decode(), HELLO + "\n")
        self.expect(put, 0, "stored on", f"shoal dht get {HELLO}")
        self.assertEqual(self.ask("get", HELLO).stdout(), b"Hello World!\n")
        self.assertEqual(self.ask("get", HELLO, "--raw").stdout(), b"Hello World!")
        self.expect(self.ask("get", UNKNOWN, code=7), 7, UNKNOWN)

    def test_json(self):
        """put and get --json print one object each, with target, nodes and value"""
        stored, = self.objects("put", "Hello World!", event="stored")
        self.assertEqual(stored["target"], HELLO)
        self.assertGreaterEqual(stored["nodes"], 1)
        self.assertEqual(stored["refused"], 0)
        item, = self.objects("get", HELLO, event="item")
        self.assertEqual(item, {"event": "item", "target": HELLO, "value": "Hello World!",
                                "value_hex": b"12:Hello World!".hex()})
        error, = self.objects("get", UNKNOWN, event="error", code=7)
        self.assertEqual((error["code"], error["exit"]), ("not_found", 7))

    def test_bytes(self):
        """bytes come from a file or standard input, and are shown in hexadecimal digits; --raw gives them back"""
        data = bytes(range(256))
        path = files.write(self.path("bytes"), data)
        target = self.ask("put", "--file", path).stdout().decode().strip()
        self.assertEqual(target, hashlib.sha1(b"256:" + data).hexdigest())
        self.assertEqual(self.ask("get", target).stdout().decode().strip(), data.hex())
        self.assertEqual(self.ask("get", target, "--raw").stdout(), data)
        with open(path, "rb") as stream:
            self.assertEqual(self.ask("put", "--file", "-", stdin=stream).stdout().decode().strip(), target)

    def test_too_long(self):
        """996 bytes are stored, 997 are refused with exit 2 before anything is sent, a missing file is 7"""
        self.ask("put", "x" * 996)
        self.expect(self.ask("put", "x" * 997, code=2), 2, "1000 bytes")
        self.expect(self.ask("put", "--file", self.path("none"), code=7), 7, "there is no file")

    def test_mutable(self):
        """a key is made once, for its owner alone; each put is a newer version, and get finds the newest"""
        path = self.path("key")
        first = self.ask("put", "one", "--key", path, "--salt", "blog")
        self.expect(first, 0, "made a new key")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        key = first.stdout().decode().strip()
        self.assertEqual(len(bytes.fromhex(key)), 32)
        second = self.ask("put", "two", "--key", path, "--salt", "blog")
        self.assertNotIn("made a new key", second.stderr())
        self.assertEqual(second.stdout().decode().strip(), key)
        self.assertEqual(self.ask("get", key, "--salt", "blog").stdout(), b"two\n")
        item, = self.objects("get", key, "--salt", "blog", event="item")
        self.assertEqual(item["key"], key)
        self.assertEqual(item["salt_hex"], b"blog".hex())
        self.assertEqual(len(bytes.fromhex(item["signature"])), 64)
        self.expect(self.ask("get", key, code=7), 7, "no value")

    def test_versions(self):
        """an older version is exit 4 with 302, another than the expected one with 301, and nothing changes"""
        path = self.path("key")
        key = self.ask("put", "five", "--key", path, "--seq", "5").stdout().decode().strip()
        self.expect(self.ask("put", "four", "--key", path, "--seq", "4", code=4), 4, "302")
        self.expect(self.ask("put", "seven", "--key", path, "--seq", "7", "--cas", "3", code=4), 4, "301")
        self.assertEqual(self.ask("get", key).stdout(), b"five\n")
        self.ask("put", "seven", "--key", path, "--seq", "7", "--cas", "5")
        item, = self.objects("get", key, event="item")
        self.assertEqual((item["value"], item["seq"]), ("seven", 7))

    def test_key_files(self):
        """a key that others can read, a link or something else is refused, and never written over"""
        path = self.made_key()
        os.chmod(path, 0o644)
        self.expect(self.ask("put", "x", "--key", path, code=6), 6, "chmod 600")
        os.chmod(path, 0o600)
        os.symlink(path, self.path("link"))
        self.expect(self.ask("put", "x", "--key", self.path("link"), code=6), 6, "link")
        other = files.write(self.path("other"), b"diary")
        os.chmod(other, 0o600)
        self.expect(self.ask("put", "x", "--key", other, code=5), 5, "holds no key")
        with open(other, "rb") as f:
            self.assertEqual(f.read(), b"diary")

    def test_nobody(self):
        """when nobody answers, put and get are exit 3 and say so"""
        nowhere = f"127.0.0.1:{closed_port()}"
        self.expect(self.ask("put", "x", "--timeout", "2", bootstrap=nowhere, code=3), 3, "no DHT node answers")
        self.expect(self.ask("get", HELLO, "--timeout", "2", bootstrap=nowhere, code=3), 3, "no DHT node answers")


class Noting(dht.Node):
    """A DHT node that keeps whole messages."""

    def __init__(self):
        self.messages = []
        super().__init__()

    def _received(self, message, sender):
        self.messages.append(message)
        super()._received(message, sender)


class ReadOnlyTests(Case):
    def test_questions(self):
        """a question says that its node is read-only, and answers nothing (BEP 43); a node that serves does not say so"""
        noting = self.speaker(Noting)
        found = self.run_shoal("dht", "find", UNKNOWN, "--bootstrap", noting.text, "--listen", "127.0.0.1:0", "--state",
                               self.path("ask"))
        self.assertEqual(found.code, 0, found.log())
        queries = [m for m in noting.messages if m[b"y"] == b"q"]
        self.assertTrue(queries)
        self.assertTrue(all(m.get(b"ro") == 1 for m in queries), queries)
        noting.messages.clear()
        self.node(bootstrap=noting.text).event("dht", 10, where=lambda e: e["joined"])
        self.assertTrue(all(b"ro" not in m for m in noting.messages if m[b"y"] == b"q"))


class Half(Seeder):
    """A peer that has the first half of the pieces."""

    def bitfield(self):
        count = self.torrent.piece_count
        bits = (1 << count // 2) - 1 << (count - count // 2) + (-count % 8)
        return bits.to_bytes(-(-count // 8), "big")


class Mute:
    """Takes connections and never says a word."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        self.taken = []
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        while True:
            try:
                self.taken.append(self.listener.accept()[0])
            except OSError:
                return

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for connection in self.taken:
            connection.close()


class SurveyTests(Network):
    def setUp(self):
        super().setUp()
        data = files.bytes_from(3, 16 * 16384 + 1)
        self.source = files.write(self.path("source", "data"), data)
        made = self.run_shoal("torrent", "create", self.source, "-o", self.path("t.torrent"), "--piece-length", "16K")
        self.assertEqual(made.code, 0, made.log())
        self.torrent = Torrent.read(self.path("t.torrent"), data)

    def announce(self, port):
        caller = self.speaker(dht.Node)
        for node in self.nodes:
            caller.announce(dht.parse(node.address), self.torrent.info_hash, port)

    def test_have(self):
        """have says who holds all, a part, nothing, and who refuses or is silent; the count of BEP 33 stands beside it"""
        sharer = self.share(self.source, "--torrent", self.path("t.torrent"), bootstrap=self.first.address)
        half = self.speaker(Half, self.torrent)
        self.announce(half.port)
        mute = self.speaker(Mute)
        self.announce(mute.address[1])
        gone = closed_port(socket.SOCK_STREAM)
        self.announce(gone)
        events = self.ask("have", self.torrent.hex, "--json").read_events()
        have = {e["address"]: e for e in events if e["event"] == "have"}
        count = self.torrent.piece_count
        whole = have[sharer.address]
        self.assertEqual((whole["state"], whole["pieces"], whole["total"], whole["seed"]), ("answered", count, count, True))
        self.assertEqual((whole["verified"], whole["source"]), (False, "peer"))
        self.assertIn("shoal", whole["client"])
        part = have[half.text]
        self.assertEqual((part["state"], part["pieces"], part["total"], part["seed"]), ("answered", count // 2, count, False))
        self.assertEqual(have["127.0.0.1:%d" % mute.address[1]]["state"], "silent")
        self.assertEqual(have[f"127.0.0.1:{gone}"]["state"], "refused")
        self.assertEqual([e["info_hash"] for e in events if e["event"] == "scrape"], [self.torrent.hex])
        text = self.ask("have", self.torrent.hex).stdout().decode()
        self.assertIn(f"{count} of {count} pieces, all", text)
        self.assertIn(f"{count // 2} of {count} pieces, 4", text)

    def test_unknown(self):
        """a torrent that nobody knows is exit 7; nobody at all is exit 3"""
        self.expect(self.ask("have", UNKNOWN, code=7), 7, UNKNOWN)
        self.expect(self.ask("scrape", UNKNOWN, code=7), 7, UNKNOWN)
        nowhere = f"127.0.0.1:{closed_port()}"
        for verb in ("have", "scrape", "sample"):
            arguments = [] if verb == "sample" else [UNKNOWN]
            self.expect(self.ask(verb, *arguments, "--timeout", "2", bootstrap=nowhere, code=3), 3, "no DHT node answers")

    def test_scrape(self):
        """scrape counts a seed, and once its address announces as a peer, that peer"""
        self.share(self.source, "--torrent", self.path("t.torrent"), bootstrap=self.first.address)
        count, = self.objects("scrape", self.torrent.hex, event="scrape")
        self.assertEqual((count["seeds"], count["peers"], count["refused"]), (1, 0, 0))
        self.assertGreaterEqual(count["nodes"], 1)
        self.assertIn("about 1 seed and 0 peers", self.ask("scrape", self.torrent.hex).stdout().decode())

    def test_scrape_after_a_fetch(self):
        """whoever has fetched everything and goes on sharing counts as a seed within seconds"""
        self.share(self.source, "--torrent", self.path("t.torrent"), bootstrap=self.first.address)
        # Seeds are counted by address.
        fetcher = self.fetch(self.torrent.hex, self.path("copy"), "--seed", bootstrap=self.first.address, host="127.0.0.2")
        fetcher.event("done", 20)
        deadline = time.monotonic() + 20
        while (seeds := self.objects("scrape", self.torrent.hex, event="scrape")[0]["seeds"]) < 2:
            self.assertLess(time.monotonic(), deadline, "the fetcher is not announced as a seed")
        self.assertEqual(seeds, 2)

    def test_sample(self):
        """sample shows what nodes hold"""
        self.announce(7777)
        samples = self.objects("sample", self.torrent.hex, event="sample")
        self.assertGreaterEqual(len(samples), 4)
        holding = [s for s in samples if s["info_hashes"] == [self.torrent.hex]]
        self.assertEqual(len(holding), 4)
        self.assertTrue(all(s["total"] == 1 and 0 < s["interval_s"] <= 21600 for s in holding))
        self.assertIn(f"  {self.torrent.hex}\n", self.ask("sample").stdout().decode())

    def test_table_and_stats(self):
        """table shows buckets and nodes, stats what was sent and answered"""
        events = self.ask("table", "--json").read_events()
        contacts = [e for e in events if e["event"] == "contact"]
        buckets = [e for e in events if e["event"] == "bucket"]
        self.assertEqual({c["address"] for c in contacts} & {n.address for n in self.nodes}, {n.address for n in self.nodes})
        self.assertEqual(sum(b["good"] for b in buckets), len(contacts))
        self.assertEqual(set(buckets[0]), {"event", "family", "shared_bits", "good", "questionable", "bad", "replacements"})
        stats, = self.objects("stats", event="stats")
        self.assertEqual((stats["family"], stats["nodes"]), ("ipv4", len(contacts)))
        self.assertLessEqual(stats["overlay_nodes"], len(contacts))
        self.assertEqual(stats["stored_records"], 0)
        for name in ("queries_sent", "replies_received", "bytes_sent", "bytes_received", "in_bps", "out_bps", "round_trip_s",
                     "round_trip_p90_s", "round_trip_p99_s"):
            self.assertGreater(stats[name], 0, name)
        self.assertLessEqual(stats["round_trip_s"], stats["round_trip_p90_s"])
        self.assertLessEqual(stats["round_trip_p90_s"], stats["round_trip_p99_s"])
        self.assertRegex(self.ask("stats").stdout().decode(), r"round trip +\S+ ms; 90 % within \S+ ms, 99 % within \S+ ms\n")


class UpdateTests(Network):
    def publish(self, text, key):
        """Shares a file with this text as the newest version of a key."""
        source = files.write(self.path("site", f"{len(self.processes)}", "page"), text)
        sharer = self.share(source, "--update", key, bootstrap=self.first.address)
        sharer.published = sharer.event("published", 20)
        return sharer

    def test_follow(self):
        """a publisher's link fetches the newest version; with --seed it tells of the next one; a new share is a newer version"""
        key = self.path("key")
        old = self.publish(b"first page\n", key)
        link = old.published["magnet"]
        self.assertEqual(link, "magnet:?xs=urn:btpk:" + old.published["key"])
        fetch = self.fetch(link, self.path("out") + "/", "--seed", "--every", "1", bootstrap=self.first.address)
        version = fetch.event("version", 20)
        self.assertEqual((version["info_hash"], version["seq"]), (old.info_hash, old.published["seq"]))
        fetch.event("done", 20)
        with open(self.path("out", "page"), "rb") as f:
            self.assertEqual(f.read(), b"first page\n")
        new = self.publish(b"second page\n", key)
        self.assertEqual(new.published["magnet"], link)
        self.assertGreater(new.published["seq"], old.published["seq"])
        newer = fetch.event("version", 20, where=lambda e: "previous" in e)
        self.assertEqual((newer["info_hash"], newer["previous"]), (new.info_hash, old.published["seq"]))
        self.fetched(link, self.path("out2") + "/", bootstrap=self.first.address)
        with open(self.path("out2", "page"), "rb") as f:
            self.assertEqual(f.read(), b"second page\n")

    def test_unchanged(self):
        """sharing the same again publishes the same version again"""
        key = self.path("key")
        first = self.publish(b"page\n", key)
        first.stop()
        again = self.publish(b"page\n", key)
        self.assertEqual(again.published["seq"], first.published["seq"])

    def test_unpublished(self):
        """a key that nobody publishes under is exit 7, a broken link exit 2"""
        self.expect(self.fetched(f"magnet:?xs=urn:btpk:{'11' * 32}", self.path("out"), bootstrap=self.first.address, code=7),
                    7, "no version")
        self.expect(self.fetched("magnet:?xs=urn:btpk:11", self.path("out"), bootstrap=self.first.address, code=2),
                    2, "public key")

    def test_for_people(self):
        """a person is told both links and the command that follows the key"""
        source = files.write(self.path("site", "page"), b"page\n")
        share = self.shoal("share", source, "--update", self.path("key"), "--listen", "127.0.0.1:0",
                           "--bootstrap", self.first.address)
        from harness.process import until
        until(lambda: share.stdout().count(b"magnet:?") == 2, 20, "two links", share.log)
        first, second = share.stdout().decode().split()
        self.assertTrue(first.startswith("magnet:?xt=urn:btih:"))
        self.assertTrue(second.startswith("magnet:?xs=urn:btpk:"))
        self.assertIn(f"shoal fetch '{second}'", share.stderr())
