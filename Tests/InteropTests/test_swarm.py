"""One swarm of all the clients at once, and each with each of the others."""
import itertools
import os

import clients
from harness import files
from harness.process import until
from harness.runner import long
from harness.torrent import Torrent
from test_clients import Interop as _Interop

SIZE = 32 << 20


class SwarmTests(_Interop):
    @long
    def test_all_four_at_once(self):
        """libtorrent, aria2, Transmission and shoal fetch at the same time from one shoal sharer"""
        for client in clients.ALL:
            self.require(client)
        source = files.random_file(self.path("source", "swarm.bin"), SIZE)
        nodes = self.network(clients.Transmission.network)
        torrent_file = self.path("swarm.torrent")
        # Slow enough that nobody is complete before the last one has begun, so that they trade among themselves.
        sharer = self.share(source, "--save-torrent", torrent_file, "--limit-up", "2M",
                            bootstrap=nodes[0], host=clients.new_address())
        magnet = Torrent.read(torrent_file).magnet
        others = {client: client(self, nodes) for client in clients.ALL}
        outputs = {client: self.path("output", client.name) for client in clients.ALL}
        for folder in outputs.values():
            os.makedirs(folder)
        # Transmission's DHT needs most of a minute to start; the others wait for it.
        transmission = others[clients.Transmission]
        transmission.fetch(magnet, outputs[clients.Transmission])
        until(lambda: transmission.status().get("metadataPercentComplete") == 1, transmission.patience,
              "Transmission to have the metadata", self.logs)
        others[clients.Libtorrent].fetch(magnet, outputs[clients.Libtorrent])
        others[clients.Aria2].fetch(magnet, outputs[clients.Aria2], keep_seeding=True)
        ours = self.fetch(sharer.info_hash, self.path("output", "shoal.bin"), "--seed",
                          bootstrap=nodes[0], host=clients.new_address())
        ours.event("done", 120)
        for client in others.values():
            client.wait_complete(120)
        self.same(source, self.path("output", "shoal.bin"))
        for folder in outputs.values():
            self.same(source, os.path.join(folder, "swarm.bin"))
        seen = " ".join(p.get("client") or "" for p in sharer.all("peer")).lower()
        for name in [c.signature.lower() for c in clients.ALL] + ["shoal"]:
            self.assertIn(name, seen, "the sharer has not met all of them")

    @long
    def test_records_among_others(self):
        """records are published, found and verified in a swarm and a DHT that libtorrent, aria2 and Transmission share"""
        for client in clients.ALL:
            self.require(client)
        source = files.random_file(self.path("source", "swarm.bin"), SIZE)
        nodes = self.network(clients.Transmission.network)
        torrent_file = self.path("swarm.torrent")
        sharer = self.share(source, "--save-torrent", torrent_file, bootstrap=nodes[0], host=clients.new_address())
        others = {client: client(self, nodes) for client in clients.ALL}
        for client in others.values():
            client.seed(torrent_file, self.path("source"))
        # One of ours that has everything, and one that cannot get on: it publishes a part.
        second = self.fetch(sharer.info_hash, self.path("second.bin"), "--seed", bootstrap=nodes[0],
                            host=clients.new_address())
        second.event("done", 60)
        slow = self.fetch(sharer.info_hash, self.path("slow.bin"), "--limit-down", "100K", bootstrap=nodes[0],
                          host=clients.new_address())
        ours = {p.event("listening")["key"]: p.event("listening")["address"] for p in (sharer, second, slow)}

        def have():
            process = self.run_shoal("dht", "have", sharer.info_hash, "--json", "--bootstrap", nodes[0], "--state",
                                     self.path("ask"), "--listen", f"{clients.new_address()}:0", seconds=30)
            return process.all("have")
        everybody = {f"{c.ip}:{c.port}" for c in others.values()}

        def all_there():
            found = have()
            records = {e["key"]: e for e in found if e["source"] == "record"}
            peers = {e["address"]: e for e in found if e["source"] == "peer" and e["state"] == "answered"}
            return set(ours) <= set(records) and everybody <= set(peers) and (records, peers)
        records, peers = until(all_there, clients.Transmission.patience, "three records and three other clients",
                               self.logs, every=5)
        self.assertEqual(set(records), set(ours), "somebody else has a record")
        for key, address in ours.items():
            record = records[key]
            self.assertEqual((record["verified"], record["address"], record["address_proved"]), (True, address, True))
            self.assertEqual(record["total"], sharer.torrent["pieces"])
        slow_key = slow.event("listening")["key"]
        self.assertTrue(0 < records[slow_key]["pieces"] < records[slow_key]["total"], records[slow_key])
        self.assertTrue(all(records[key]["seed"] for key in ours if key != slow_key))
        for address in everybody:
            self.assertEqual((peers[address]["verified"], peers[address]["seed"]), (False, True))

    @long
    def test_all_announce(self):
        """libtorrent, aria2, Transmission and shoal announce in one DHT; shoal and libtorrent find them all there"""
        for client in clients.ALL:
            self.require(client)
        source = files.random_file(self.path("source", "sample.bin"), 1_000_000)
        nodes = self.network(clients.Transmission.network)
        torrent_file = self.path("sample.torrent")
        sharer = self.share(source, "--save-torrent", torrent_file, bootstrap=nodes[0], host=clients.new_address())
        others = {client: client(self, nodes) for client in clients.ALL}
        for client in others.values():
            client.seed(torrent_file, self.path("source"))
        everybody = {sharer.address} | {f"{c.ip}:{c.port}" for c in others.values()}

        def have():
            process = self.run_shoal("dht", "have", sharer.info_hash, "--json", "--bootstrap", nodes[0], "--state",
                                     self.path("ask"), "--listen", f"{clients.new_address()}:0", seconds=30)
            return {e["address"]: e for e in process.all("have")}
        found = until(lambda: (h := have()) and everybody <= set(h) and h, clients.Transmission.patience,
                      f"the DHT to name {everybody}", self.logs, every=5)
        for client in others.values():
            holder = found[f"{client.ip}:{client.port}"]
            self.assertEqual((holder["state"], holder["seed"]), ("answered", True), holder)
            self.assertIn(client.signature.lower(), holder["client"].lower())
        asker = clients.Libtorrent(self, nodes)
        asker.join(peers=sharer.info_hash)
        named = set()
        until(lambda: [named.update(e["peers"]) for e in asker.process.all("peers")] and everybody <= named, 60,
              "libtorrent to find them all", self.logs)

    @long
    def test_each_with_each(self):
        """libtorrent, aria2 and Transmission take files from one another through a DHT that only shoal's nodes hold"""
        for client in clients.ALL:
            self.require(client)
        nodes = self.network(clients.Transmission.network)
        transfers = []
        # A torrent for each pair, so that nobody but the one seeder has it.
        for seeder, taker in itertools.permutations(clients.ALL, 2):
            name = f"{seeder.name}-{taker.name}"
            source = files.random_file(self.path("source", name, "file.bin"), 300_000, seed=name)
            torrent_file = self.path(f"{name}.torrent")
            made = self.run_shoal("torrent", "create", source, "-o", torrent_file)
            self.assertEqual(made.code, 0, made.log())
            seeder(self, nodes).seed(torrent_file, self.path("source", name))
            output = self.path("output", name)
            os.makedirs(output)
            other = taker(self, nodes)
            other.fetch(torrent_file, output)
            transfers.append((other, source, os.path.join(output, "file.bin")))
        for other, source, copy in transfers:
            other.wait_complete(clients.Transmission.patience)
            self.same(source, copy)
