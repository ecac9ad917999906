"""BEP 44 and BEP 51 between shoal and libtorrent, both ways, over a DHT of shoal's nodes."""
import os

import clients
from harness import dht, files
from harness.case import Case

# The published key of BEP 44, in the expanded form that libtorrent uses.
PUBLIC = "77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548"
PRIVATE = ("e06d3183d14159228433ed599221b80bd0a5ce8352e4bdf0262f76786ef1c74d"
           "b7e7a9fea2c0eb269d61e3b38e450a22e754941ac78479d6c54e1faf6037881d")
HELLO = "e5f96f6f38320f0f33959cb4d3d656452117aadb"
SALT = "foobar"


class ItemTests(Case):
    def setUp(self):
        super().setUp()
        missing = clients.Libtorrent.missing()
        if missing:
            self.skipTest(missing)
        self.first = self.node(host=clients.new_address())
        self.nodes = [self.first] + [self.node(host=clients.new_address(), bootstrap=self.first.address) for _ in range(4)]

    def libtorrent(self, **task):
        client = clients.Libtorrent(self, [n.address for n in self.nodes[:3]])
        client.join(**task)
        return client.process

    def ask(self, *question, code=0):
        process = self.run_shoal("dht", *question, "--json", "--listen", f"{clients.new_address()}:0", "--state",
                                 self.path("ask"), "--bootstrap", self.first.address, seconds=30)
        self.assertEqual(process.code, code, process.log())
        return process.read_events()[-1]

    def test_libtorrent_stores(self):
        """shoal finds what libtorrent stored: an immutable value, and a signed one with a salt"""
        other = self.libtorrent(put=[{"text": "Hello World!"},
                                     {"text": "signed", "private": PRIVATE, "public": PUBLIC, "salt": SALT}])
        self.assertEqual(other.event("put", 40, where=lambda e: "target" in e)["target"], HELLO)
        signed = other.event("put", 40, where=lambda e: "key" in e)
        self.assertEqual(self.ask("get", HELLO)["value"], "Hello World!")
        item = self.ask("get", PUBLIC, "--salt", SALT)
        self.assertEqual((item["value"], item["seq"]), ("signed", signed["seq"]))

    def test_shoal_stores(self):
        """libtorrent finds what shoal stored: an immutable value, and one signed with BEP 44's key and a salt"""
        self.assertEqual(self.ask("put", "Hello World!")["target"], HELLO)
        key = files.write(self.path("key"), PRIVATE.encode())
        os.chmod(key, 0o600)
        stored = self.ask("put", "signed", "--key", key, "--salt", SALT, "--seq", "7")
        self.assertEqual(stored["key"], PUBLIC)
        other = self.libtorrent(get=[{"target": HELLO}, {"public": PUBLIC, "salt": SALT}])
        self.assertEqual(other.event("item", 40, where=lambda e: "target" in e)["value"], "Hello World!")
        signed = other.event("item", 40, where=lambda e: "key" in e)
        self.assertEqual((signed["value"], signed["seq"]), ("signed", 7))

    def test_shoal_updates_what_libtorrent_stored(self):
        """shoal publishes the next version of what libtorrent stored, and an old one is refused"""
        other = self.libtorrent(put=[{"text": "first", "private": PRIVATE, "public": PUBLIC, "salt": SALT}])
        before = other.event("put", 40)["seq"]
        key = files.write(self.path("key"), PRIVATE.encode())
        os.chmod(key, 0o600)
        stored = self.ask("put", "second", "--key", key, "--salt", SALT)
        self.assertGreater(stored["seq"], before)
        self.assertEqual(self.ask("get", PUBLIC, "--salt", SALT)["value"], "second")
        self.ask("put", "zeroth", "--key", key, "--salt", SALT, "--seq", "0", code=4)

    def test_libtorrent_samples(self):
        """libtorrent reads the sample of info-hashes of a shoal node (BEP 51)"""
        info_hash = bytes(range(20))
        announcer = self.speaker(dht.Node, clients.new_address())
        announcer.announce(dht.parse(self.first.address), info_hash, 7777)
        other = self.libtorrent(sample=self.first.address)
        sample = other.event("sample", 40)
        self.assertEqual((sample["samples"], sample["total"]), ([info_hash.hex()], 1))
